"""The first schema has apps, domains, keys, slugs, the ledger of releases and the audit log."""

import sqlalchemy as sa
from alembic import op

from pushdeploy.store.columns import FreeText, Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_apps()
    _create_domains()
    _create_keys()
    _create_slugs()
    _create_releases()
    _create_release_parts()
    _create_records()


def _create_apps() -> None:
    op.create_table(
        "apps",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("formation", sa.JSON, nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("disks", sa.JSON, nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False),
        sa.Column("current_version", sa.Integer),
        sa.Column("last_version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )


def _create_domains() -> None:
    op.create_table(
        "domains",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("host", sa.Text, nullable=False, unique=True),
        sa.Column(
            "app_id", sa.Integer, sa.ForeignKey("apps.id", ondelete="CASCADE"), nullable=False
        ),
    )
    op.create_index("ix_domains_app_id", "domains", ["app_id"])


def _create_keys() -> None:
    op.create_table(
        "keys",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("base64", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False, unique=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
    )


def _create_slugs() -> None:
    op.create_table(
        "slugs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("commit_id", sa.Text, nullable=False),
        sa.Column("tree", sa.Text, nullable=False),
        sa.Column("builder", sa.Text, nullable=False),
        sa.Column("stack", sa.Text, nullable=False),
        sa.Column("process_types", sa.JSON, nullable=False),
        sa.Column("release_command", FreeText),
        sa.Column("runs_as", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("port", sa.Integer),
        sa.Column("checks", sa.JSON, nullable=False),
        sa.Column("formation", sa.JSON, nullable=False),
        sa.UniqueConstraint("key", "image", name="one_slug_per_key_and_image"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_slugs_image", "slugs", ["image"])


def _create_releases() -> None:
    op.create_table(
        "releases",
        sa.Column(
            "app_id", sa.Integer, sa.ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("description", FreeText, nullable=False),
        sa.Column("slug_id", sa.Integer, sa.ForeignKey("slugs.id"), nullable=False),
        sa.Column("commit_id", sa.Text, nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("disks", sa.JSON, nullable=False),
        sa.Column("key_name", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("live_at", Moment),
        sa.Column("error", FreeText, nullable=False),
        sa.Column("ref", sa.Text),
        sa.Column("ref_old", sa.Text),
        sa.Column("ref_moved", sa.Boolean, nullable=False),
    )
    op.create_index("ix_releases_slug_id", "releases", ["slug_id"])
    op.create_index("releases_by_status", "releases", ["status"])
    live = sa.text("status = 'live'")
    op.create_index(
        "one_live_release_per_app",
        "releases",
        ["app_id"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _create_release_parts() -> None:
    op.create_table(
        "release_steps",
        *_release_part("position"),
        sa.Column("name", FreeText, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    op.create_table(
        "release_output",
        *_release_part("chunk"),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("lines", FreeText, nullable=False),
    )


def _release_part(number: str) -> list[sa.schema.SchemaItem]:
    """The columns of a table that hangs on a release, counted by ``number``."""
    return [
        sa.Column("app_id", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column(number, sa.Integer, primary_key=True),
        sa.ForeignKeyConstraint(
            ["app_id", "version"], ["releases.app_id", "releases.version"], ondelete="CASCADE"
        ),
    ]


def _create_records() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("key_name", sa.Text, nullable=False),
        sa.Column("command", FreeText, nullable=False),
        sa.Column("exit_status", sa.Integer, nullable=False),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", FreeText, nullable=False),
    )
