"""An empty database of today's schema: made once in a process, and copied for each test."""

import functools
import tempfile
from pathlib import Path

from pushdeploy.store import Store


def open_store(path: Path) -> Store:
    """A store whose database is at ``path``; a new one is empty, and as if it had been migrated."""
    make_database(path)
    return Store.open(f"sqlite:///{path}")


def make_database(path: Path) -> None:
    """To run all migrations takes a hundred times as long; tests of those do it."""
    if not path.exists():
        path.write_bytes(_migrated())


@functools.cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "empty.sqlite3")
        Store.open(f"sqlite:///{path}").close()
        return path.read_bytes()
