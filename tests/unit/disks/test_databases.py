"""Locks that other processes see; SQLite itself is the other side of them."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pushdeploy.disks.databases import is_database

_HOLDER = """
import os, sys
from pathlib import Path
from pushdeploy.disks import databases
databases.PATIENCE_SECONDS = float(sys.argv[2])
path = Path(sys.argv[1])
within = os.open(path.parent, os.O_RDONLY)
database = os.open(path, os.O_RDONLY)
try:
    with databases.held_still(database, path.name, within, print) as beside:
        print(*sorted(beside), flush=True)
        sys.stdin.readline()
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""


@contextmanager
def held(path: Path, seconds: float = 20) -> Iterator[list[str]]:
    """What a process that holds the database says is to be copied with it."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout
    try:
        yield holder.stdout.readline().split()
    finally:
        holder.communicate("\n")


def connected(path: Path, mode: str) -> sqlite3.Connection:
    app = sqlite3.connect(path, timeout=0, isolation_level=None)
    app.execute(f"PRAGMA journal_mode = {mode}")
    app.execute("CREATE TABLE IF NOT EXISTS fact (text)")
    return app


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_writers_wait_and_readers_do_not(tmp_path: Path, mode: str) -> None:
    with closing(connected(tmp_path / "a.db", mode)) as app:
        with held(tmp_path / "a.db") as beside:
            assert beside == (["a.db-wal"] if mode == "WAL" else [])
            assert app.execute("SELECT count(*) FROM fact").fetchone() == (0,)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                app.execute("INSERT INTO fact VALUES ('now')")
        app.execute("INSERT INTO fact VALUES ('afterwards')")


def test_wal_is_neither_started_anew_nor_removed_meanwhile(tmp_path: Path) -> None:
    app = connected(tmp_path / "a.db", "WAL")
    with held(tmp_path / "a.db"):
        size = (tmp_path / "a.db-wal").stat().st_size
        busy, *_ = app.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy
        app.close()
        assert (tmp_path / "a.db-wal").stat().st_size == size > 0


def test_nobody_connects_to_an_idle_wal_database_meanwhile(tmp_path: Path) -> None:
    connected(tmp_path / "a.db", "WAL").close()
    with held(tmp_path / "a.db"), closing(sqlite3.connect(tmp_path / "a.db", timeout=0)) as app:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            app.execute("SELECT * FROM fact")
        assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_journal_of_a_writer_at_work_is_not_taken_for_a_hot_one(tmp_path: Path) -> None:
    with closing(connected(tmp_path / "a.db", "DELETE")) as app:
        app.execute("BEGIN IMMEDIATE")
        app.execute("INSERT INTO fact VALUES ('half')")
        assert (tmp_path / "a.db-journal").exists()
        with held(tmp_path / "a.db") as beside:
            assert beside == []
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                app.execute("COMMIT")


def test_database_that_stays_locked_is_an_error(tmp_path: Path) -> None:
    with closing(connected(tmp_path / "a.db", "DELETE")) as app:
        app.execute("BEGIN EXCLUSIVE")
        with held(tmp_path / "a.db", 0.2) as said:
            assert " ".join(said).startswith("BackendDown the database a.db has been kept locked")


@pytest.mark.parametrize(
    ("head", "beside", "expected"),
    [
        (b"SQLite format 3\0", (), True),
        (b"text", (), False),
        (b"encrypted", ("a-wal", "a-shm"), True),
        (b"text", ("a-shm",), False),
        (b"", ("a-journal",), True),
        (b"", (), False),
    ],
)
def test_what_counts_as_a_database(head: bytes, beside: tuple[str, ...], expected: bool) -> None:
    assert is_database(head, "a", beside) == expected
