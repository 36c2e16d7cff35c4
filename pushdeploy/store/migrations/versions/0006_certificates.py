"""Certificates get a table, with their keys."""

import sqlalchemy as sa
from alembic import op

from pushdeploy.store.columns import FreeText, Moment

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("app_id", sa.Integer, sa.ForeignKey("apps.id", ondelete="CASCADE"), index=True),
        sa.Column("host", sa.Text, index=True),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("issuer", FreeText, nullable=False),
        sa.Column("not_before", Moment, nullable=False),
        sa.Column("not_after", Moment, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("key_type", sa.Text, nullable=False),
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
    )
