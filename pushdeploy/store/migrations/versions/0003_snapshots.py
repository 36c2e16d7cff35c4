"""Snapshots of disks get a table; a release names the one before it, an app the one to put back."""

import sqlalchemy as sa
from alembic import op

from pushdeploy.store.columns import FreeText, Moment

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("apps", sa.Column("put_back", sa.Integer))
    op.add_column("releases", sa.Column("cut_over", sa.Text))
    op.add_column("releases", sa.Column("restore_id", sa.Integer))
    op.add_column("releases", sa.Column("snapshot_id", sa.Integer))
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "app_id", sa.Integer, sa.ForeignKey("apps.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("version", sa.Integer),
        sa.Column("description", FreeText, nullable=False),
        sa.Column("key_name", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sizes_bytes", sa.JSON, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_snapshots_app_id", "snapshots", ["app_id"])
