"""Automatic certificates get a ledger of attempts, and the server its accounts with CAs."""

import sqlalchemy as sa
from alembic import op

from pushdeploy.store.columns import FreeText, Moment

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "certificate_attempts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("directory", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("error", FreeText, nullable=False),
        sa.Column("hint", FreeText, nullable=False),
        sa.Column("last_at", Moment),
        sa.Column("next_at", Moment),
        sa.Column("patience_until", Moment),
        sa.Column("order_url", sa.Text, nullable=False),
        sa.Column("key_pem", sa.Text, nullable=False),
        sa.Column("renew_at", Moment),
        sa.Column("ask_at", Moment),
    )
    op.create_table(
        "acme_accounts",
        sa.Column("directory", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("given_id", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
    )
