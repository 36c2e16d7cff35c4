"""Databases of a copy, read by somebody who trusts none of them."""

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from pushdeploy.disks.database_contents import contents_of, read_databases
from pushdeploy.domain.rehearsal import Contents, DatabaseContents, Table

UID = 23_456


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Within a directory that is for root alone, as copies are."""
    disk = tmp_path / "private" / "data"
    disk.mkdir(parents=True)
    disk.parent.chmod(0o700)
    return disk


def make(path: Path, script: str) -> None:
    database = sqlite3.connect(path)
    database.executescript(script)
    database.close()


def read(disk: Path, seconds: float = 30) -> Contents:
    if os.geteuid() == 0:
        subprocess.run(["chown", "--recursive", f"{UID}:{UID}", str(disk)], check=True)
    return read_databases(disk, UID, seconds)


def test_tables_columns_indexes_and_rows_are_found(disk: Path) -> None:
    (disk / "deep").mkdir()
    make(
        disk / "deep" / "odd ?#% name",
        """
        CREATE TABLE "an ""odd"" one" (id INTEGER PRIMARY KEY, note TEXT NOT NULL DEFAULT 'x');
        INSERT INTO "an ""odd"" one" (note) VALUES ('a'), ('b');
        CREATE INDEX by_note ON "an ""odd"" one" (note);
        CREATE VIEW ignored AS SELECT 1;
        """,
    )
    (disk / "notes.txt").write_text("SQLite format 3, as they say")
    columns = {"id": "INTEGER PRIMARY KEY", "note": "TEXT NOT NULL DEFAULT 'x'"}
    index = 'CREATE INDEX by_note ON "an ""odd"" one" (note)'
    expected = DatabaseContents({'an "odd" one': Table(columns, 2)}, {"by_note": index})
    assert read(disk) == Contents({"deep/odd ?#% name": expected})


def test_what_is_still_in_the_wal_counts_and_stays_there(disk: Path) -> None:
    live = sqlite3.connect(disk / "live")
    live.execute("PRAGMA journal_mode=WAL")
    live.execute("CREATE TABLE notes (note)")
    live.execute("INSERT INTO notes VALUES (1)")
    live.commit()
    for end in ("", "-wal"):
        (disk / f"copy{end}").write_bytes((disk / f"live{end}").read_bytes())
    live.close()
    wal = (disk / "copy-wal").read_bytes()
    assert read(disk).databases["copy"].tables["notes"].rows == 1
    assert (disk / "copy-wal").read_bytes() == wal


def test_a_hot_journal_is_rolled_back_first(disk: Path) -> None:
    database = sqlite3.connect(disk / "live", isolation_level=None)
    database.execute("PRAGMA cache_size=1")
    database.execute("CREATE TABLE notes (note)")
    database.execute("INSERT INTO notes VALUES ('one')")
    database.execute("BEGIN")
    database.executemany("INSERT INTO notes VALUES (?)", [["x" * 2000]] * 100)
    for end in ("", "-journal"):
        (disk / f"copy{end}").write_bytes((disk / f"live{end}").read_bytes())
    database.close()
    assert read(disk).databases["copy"].tables["notes"].rows == 1


def test_what_is_not_whole_says_why_and_keeps_nobody_else(disk: Path) -> None:
    (disk / "broken").write_bytes(b"SQLite format 3\0" + b"no" * 4000)
    make(disk / "good", "CREATE TABLE notes (note)")
    found = read(disk).databases
    assert found["broken"].trouble == "file is not a database"
    assert found["good"].tables["notes"].rows == 0


def test_no_link_leads_out_of_the_disk(disk: Path, tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "CREATE TABLE secrets (secret)")
    (disk / "link").symlink_to(tmp_path / "elsewhere")
    (disk / "folder").symlink_to(tmp_path)
    os.mkfifo(disk / "fifo")
    assert read(disk) == Contents({})


def test_counting_ends_with_the_time(disk: Path) -> None:
    make(
        disk / "large",
        "CREATE TABLE numbers (n); WITH RECURSIVE count (n) AS"
        " (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 300000)"
        " INSERT INTO numbers SELECT n FROM count;",
    )
    assert read(disk).databases["large"].tables["numbers"].rows == 300_000
    found = read(disk, seconds=0)
    assert found.databases == {} or found.databases["large"].tables["numbers"].rows is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Killed",
        b"[]",
        b'{"databases": [], "trouble": ""}',
        b'{"databases": {"a": {"tables": {"t": 3}}}, "trouble": ""}',
        b'{"databases": {}}',
        b"[" * 100_000,
    ],
)
def test_an_answer_of_any_other_form_is_trouble(text: bytes) -> None:
    assert contents_of(text) == Contents({}, "the databases could not be read")
