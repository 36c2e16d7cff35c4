"""Apps get rules of their front: maintenance, logins, redirects and their like."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("apps", sa.Column("front", sa.JSON))
