"""Releases note the scheduler that runs them; empty: that of the server."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("releases", sa.Column("scheduler", sa.Text))
