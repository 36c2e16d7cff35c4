"""An empty database of today's schema: made once in a process, and copied for each test."""

import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import text

from pushdeploy.store import Store

_TAKEN_BACK: Mapping[str, Sequence[str]] = {
    "0010": ("ALTER TABLE apps DROP COLUMN front",),
    "0009": ("ALTER TABLE releases DROP COLUMN scheduler",),
    "0008": ("ALTER TABLE slugs DROP COLUMN published",),
    "0007": ("DROP TABLE certificate_attempts", "DROP TABLE acme_accounts"),
    "0006": ("DROP TABLE certificates",),
    "0005": ("DROP TABLE shared_config", "ALTER TABLE releases DROP COLUMN shared_config"),
    "0004": (
        "DROP INDEX audit_by_time",
        "DROP INDEX audit_by_state",
        "ALTER TABLE audit DROP COLUMN app",
        "ALTER TABLE audit DROP COLUMN state",
        "ALTER TABLE audit DROP COLUMN seconds",
    ),
    "0003": (
        "DROP TABLE snapshots",
        "ALTER TABLE releases DROP COLUMN snapshot_id",
        "ALTER TABLE releases DROP COLUMN restore_id",
        "ALTER TABLE releases DROP COLUMN cut_over",
        "ALTER TABLE apps DROP COLUMN put_back",
    ),
    "0002": (
        "DROP TABLE pipeline_members",
        "DROP TABLE pipelines",
        "ALTER TABLE apps DROP COLUMN lock_by",
        "ALTER TABLE apps DROP COLUMN lock_message",
        "ALTER TABLE apps DROP COLUMN lock_at",
    ),
}
"""What each migration has made is taken away by these statements, the newest one first."""


def open_store(path: Path) -> Store:
    """A store whose database is at ``path``; a new one is empty, and as if it had been migrated."""
    make_database(path)
    return Store.open(f"sqlite:///{path}")


def make_database(path: Path) -> None:
    """To run all migrations takes a hundred times as long; tests of those do it."""
    if not path.exists():
        path.write_bytes(_migrated())


def make_older(store: Store, revision: str) -> None:
    """Make the store's database what a server of ``revision`` has left."""
    with store._database.changing() as connection:
        for each, statements in _TAKEN_BACK.items():
            for statement in statements if each > revision else ():
                connection.execute(text(statement))
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))


@functools.cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "empty.sqlite3")
        Store.open(f"sqlite:///{path}").close()
        return path.read_bytes()
