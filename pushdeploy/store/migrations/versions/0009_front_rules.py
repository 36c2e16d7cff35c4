"""Apps get rules of their front: maintenance, logins, redirects and their like."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("apps", sa.Column("front", sa.JSON))
