"""A slug may have a published folder: that of a static site."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("slugs", sa.Column("published", sa.JSON))
