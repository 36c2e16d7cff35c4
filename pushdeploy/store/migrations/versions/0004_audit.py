"""The audit log gets rows that are written before the act and completed after it, by app."""

import sqlalchemy as sa
from alembic import op

from pushdeploy.store.columns import FreeText

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("audit") as audit:
        audit.alter_column("exit_status", existing_type=sa.Integer, nullable=True)
    op.add_column("audit", sa.Column("app", FreeText))
    op.add_column("audit", sa.Column("state", sa.Text, nullable=False, server_default="ended"))
    op.add_column("audit", sa.Column("seconds", sa.Float))
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_index("audit_by_state", "audit", ["state"])
