"""Connections and transactions are made here, the one place that knows which database it is."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from pushdeploy.domain.errors import BackendDown

_PRAGMAS = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA foreign_keys = ON",
)
_DURABLE = "PRAGMA synchronous = FULL"
"""A release that was said to be live is still live after a power cut."""

_CHEAP = "PRAGMA synchronous = NORMAL"
"""Outlives a killed process. A power cut may take the last of it, if no durable change followed."""


_DAMAGED = ("malformed", "not a database")
"""What SQLite says of a file that it cannot read as one."""


class DuplicateRow(BackendDown):
    """A row that must be unique is there already. Caught within this package."""


class Database:
    """A ``Database`` gives short transactions, each on its own connection of a pool.

    Thread-safe.
    """

    def __init__(self, url: str) -> None:
        self._file = make_url(url).database or ""
        with self._our_errors():
            self._engine = _engine(url, _DURABLE)
            self._notes = _engine(url, _CHEAP)
        self._changing = self._engine.execution_options(changes=True)
        self._noting = self._notes.execution_options(changes=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give one consistent view of everything read inside."""
        with self._our_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """Commit all changes inside or none; one transaction at a time on SQLite."""
        with self._our_errors(), self._changing.begin() as connection:
            yield connection

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """Commit changes that nobody is told of, without a wait for the disk.

        What was noted before a durable change is as durable as that: both are in one log.
        """
        with self._our_errors(), self._noting.begin() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()
        self._notes.dispose()

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            raise DuplicateRow(_said(error), "try it again") from error
        except SQLAlchemyError as error:
            said = _said(error)
            if any(words in said for words in _DAMAGED):
                raise BackendDown(
                    f"{self._file} is damaged: {said}",
                    "stop the server, and put a backup of this file back, without its -wal",
                ) from error
            raise BackendDown(said, "pushdeploy doctor names the fault") from error


class Stored:
    """A noun of the store is read and changed in its database."""

    def __init__(self, database: Database) -> None:
        self._database = database


def _said(error: SQLAlchemyError) -> str:
    reason = error.orig if isinstance(error, DBAPIError) else error
    said = " ".join(str(reason).split()) or type(error).__name__
    return f"the database cannot be used: {said}"


def _engine(url: str, synchronous: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    if not parsed.database or parsed.database == ":memory:":
        raise BackendDown("the database must be a file", "give sqlite:////absolute/path")
    path = Path(parsed.database)
    wanted = partial(_set_pragmas, synchronous)
    if not _make_private(path):
        engine = _sqlite(parsed, wanted)
        if _opens(engine) or not _is_whole(path):
            return engine  # what is wrong is told at its first use
        engine.dispose()
    return _sqlite(_for_reading(path), _read_only)


def _sqlite(url: URL, prepare: Callable[[Any, object], None]) -> Engine:
    """Parameters are hidden: they are config vars, and errors end in the log."""
    engine = create_engine(url, hide_parameters=True, pool_size=10, max_overflow=10)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _opens(engine: Engine) -> bool:
    """Leaves no connection behind."""
    try:
        with engine.connect():
            return True
    except SQLAlchemyError:
        return False
    finally:
        engine.dispose()


def _for_reading(path: Path) -> URL:
    """Where nothing can be written. What a killed server left beside it counts as well.

    Without that SQLite needs no files beside it: it is told that nothing changes the file.
    """
    immutable = {"immutable": "1"} if _is_whole(path) else {}
    query = {"mode": "ro", "uri": "true", **immutable}
    return URL.create("sqlite", database=f"file:{quote(str(path))}", query=query)


def _is_whole(path: Path) -> bool:
    """Tell whether all is in the database's own file, and there is something in it."""
    beside = path.with_name(f"{path.name}-wal")
    return bool(path.stat().st_size) and not (beside.exists() and beside.stat().st_size)


def _read_only(connection: Any, _record: object) -> None:
    connection.isolation_level = None


def _make_private(path: Path) -> bool:
    """Mode 0600 from the first moment, for config vars are secrets; -wal and -shm follow it.

    Whether it can be read only, for its file system is. One that is there is not opened here: to
    close it would take away the locks by which SQLite's connections of this process have it
    (https://sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        if error.errno == errno.EROFS and path.exists():
            return True
        raise BackendDown(
            f"the database {path} cannot be opened: {error.strerror}",
            "pushdeploy init makes its directory",
        ) from error
    return False


def _set_pragmas(synchronous: str, connection: Any, _record: object) -> None:
    """The driver's own BEGIN comes too late and without IMMEDIATE: it is switched off.

    Text that is no UTF-8 is damaged, and costs no row.
    """
    connection.isolation_level = None
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    for pragma in (*_PRAGMAS, synchronous):
        connection.execute(pragma).close()


def _begin(connection: Connection) -> None:
    """A change locks at once: a reader that becomes a writer may be refused without any wait."""
    changes = connection.get_execution_options().get("changes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if changes else "BEGIN")
