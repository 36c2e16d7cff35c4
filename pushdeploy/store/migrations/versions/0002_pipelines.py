"""Pipelines get tables with their members, and an app gets a person's lock."""

import sqlalchemy as sa
from alembic import op

from pushdeploy.store.columns import FreeText, Moment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _add_locks()
    _create_pipelines()
    _create_members()


def _add_locks() -> None:
    op.add_column("apps", sa.Column("lock_by", sa.Text))
    op.add_column("apps", sa.Column("lock_message", FreeText))
    op.add_column("apps", sa.Column("lock_at", Moment))


def _create_pipelines() -> None:
    op.create_table(
        "pipelines",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("stages", sa.JSON, nullable=False),
    )


def _create_members() -> None:
    op.create_table(
        "pipeline_members",
        sa.Column(
            "app_id",
            sa.Integer,
            sa.ForeignKey("apps.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column(
            "pipeline_id",
            sa.Integer,
            sa.ForeignKey("pipelines.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
    )
    op.create_index("ix_pipeline_members_pipeline_id", "pipeline_members", ["pipeline_id"])
