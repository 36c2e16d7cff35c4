"""The tables stand here as the newest migration leaves them; the domain's nouns explain them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from pushdeploy.store.columns import FreeText, Json, Moment

METADATA = MetaData()

APPS = Table(
    "apps",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("settings", Json, nullable=False),
    Column("formation", Json, nullable=False),
    Column("config", Json, nullable=False),
    Column("disks", Json, nullable=False),
    Column("stopped", Boolean, nullable=False),
    Column("current_version", Integer),
    Column("last_version", Integer, nullable=False),
    Column("lock_by", Text),
    Column("lock_message", FreeText),
    Column("lock_at", Moment),
    Column("put_back", Integer),
    Column("front", Json),
    sqlite_autoincrement=True,  # an id, and with it a uid, is never given twice
)

DOMAINS = Table(
    "domains",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("host", Text, nullable=False, unique=True),
    Column("app_id", ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
)

CERTIFICATES = Table(
    "certificates",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("app_id", ForeignKey("apps.id", ondelete="CASCADE"), index=True),
    Column("host", Text, index=True),
    Column("names", Json, nullable=False),
    Column("issuer", FreeText, nullable=False),
    Column("not_before", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("key_type", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

PIPELINES = Table(
    "pipelines",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("stages", Json, nullable=False),
)

PIPELINE_MEMBERS = Table(
    "pipeline_members",
    METADATA,
    Column(
        "app_id",
        ForeignKey("apps.id", ondelete="CASCADE"),
        primary_key=True,  # so an app is in one pipeline at most
        autoincrement=False,
    ),
    Column(
        "pipeline_id", ForeignKey("pipelines.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("stage", Text, nullable=False),
    Column("position", Integer, nullable=False),
)

KEYS = Table(
    "keys",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("base64", Text, nullable=False),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False, unique=True),
)

SLUGS = Table(
    "slugs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("image", Text, nullable=False, index=True),
    Column("commit_id", Text, nullable=False),
    Column("tree", Text, nullable=False),
    Column("builder", Text, nullable=False),
    Column("stack", Text, nullable=False),
    Column("process_types", Json, nullable=False),
    Column("release_command", FreeText),
    Column("runs_as", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("port", Integer),
    Column("checks", Json, nullable=False),
    Column("formation", Json, nullable=False),
    Column("published", Json),
    UniqueConstraint("key", "image", name="one_slug_per_key_and_image"),
    sqlite_autoincrement=True,
)

RELEASES = Table(
    "releases",
    METADATA,
    Column("app_id", ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("description", FreeText, nullable=False),
    Column("slug_id", ForeignKey("slugs.id"), nullable=False, index=True),
    Column("commit_id", Text, nullable=False),
    Column("config", Json, nullable=False),
    Column("shared_config", Json),
    Column("disks", Json, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("live_at", Moment),
    Column("error", FreeText, nullable=False),
    Column("ref", Text),
    Column("ref_old", Text),
    Column("ref_moved", Boolean, nullable=False),
    Column("cut_over", Text),
    Column("restore_id", Integer),
    Column("scheduler", Text),
    Column("snapshot_id", Integer),  # no foreign key: the ledger outlives what it names
    Index("releases_by_status", "status"),
    Index(
        "one_live_release_per_app",
        "app_id",
        unique=True,
        sqlite_where=text("status = 'live'"),
        postgresql_where=text("status = 'live'"),
    ),
)

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("app_id", ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("version", Integer),
    Column("description", FreeText, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sizes_bytes", Json, nullable=False),
    Column("complete", Boolean, nullable=False),
    sqlite_autoincrement=True,  # a person may have written the number down
)

RELEASE_STEPS = Table(
    "release_steps",
    METADATA,
    Column("app_id", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", FreeText, nullable=False),
    Column("seconds", Float, nullable=False),
    ForeignKeyConstraint(
        ["app_id", "version"], ["releases.app_id", "releases.version"], ondelete="CASCADE"
    ),
)

RELEASE_OUTPUT = Table(
    "release_output",
    METADATA,
    Column("app_id", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("size_bytes", Integer, nullable=False),
    Column("lines", FreeText, nullable=False),
    ForeignKeyConstraint(
        ["app_id", "version"], ["releases.app_id", "releases.version"], ondelete="CASCADE"
    ),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("command", FreeText, nullable=False),
    Column("exit_status", Integer),
    Column("app", FreeText),
    Column("state", Text, nullable=False, server_default="ended"),
    Column("seconds", Float),
    Index("audit_by_time", "at"),
    Index("audit_by_state", "state"),
)

SHARED_CONFIG = Table(
    "shared_config",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", FreeText, nullable=False),
)

ATTEMPTS = Table(
    "certificate_attempts",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("directory", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", FreeText, nullable=False),
    Column("hint", FreeText, nullable=False),
    Column("last_at", Moment),
    Column("next_at", Moment),
    Column("patience_until", Moment),
    Column("order_url", Text, nullable=False),
    Column("key_pem", Text, nullable=False),
    Column("renew_at", Moment),
    Column("ask_at", Moment),
)

ACME_ACCOUNTS = Table(
    "acme_accounts",
    METADATA,
    Column("directory", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("given_id", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

META = Table(
    "meta",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", FreeText, nullable=False),
)
