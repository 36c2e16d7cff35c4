"""``python -m pushdeploy.disks.database_reader`` tells what the databases of one copy hold.

SQLite parses here what an app has written, so there is nothing within reach but that copy: it is
the root directory, the app's own user looks, without a network, and only for a while. It reads
from stdin which tree, and answers on stdout, both in JSON. Never for a live disk: SQLite may
recover a database that it opens.
"""

import ctypes
import json
import os
import resource
import signal
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

_MAGIC = b"SQLite format 3\0"
_MOST_FILES, _MOST_DATABASES, _MOST_TABLES = 100_000, 50, 500
_LONGEST_TEXT = 400
_MOST_MEMORY_BYTES = 1 << 30
_STEPS = 10_000
"""How many instructions of SQLite's machine go by between two looks at the clock."""

_CLONE_NEWNET = 0x40000000
"""unshare(2)."""

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
"""prctl(2)."""


class Wanted(NamedTuple):
    """The server names the tree, its owner and the time-out; ``server`` is its own pid."""

    tree: str
    uid: int
    seconds: float
    server: int


def main() -> None:
    wanted = Wanted(**json.load(sys.stdin))
    root = _shut_in(wanted)
    deadline = time.monotonic() + wanted.seconds
    found: dict[str, object] = {}
    trouble = ""
    for name in _databases(root):
        if len(found) == _MOST_DATABASES or time.monotonic() > deadline:
            trouble = f"there are more than the {len(found)} databases that were looked at"
            break
        found[name[:_LONGEST_TEXT]] = _read(f"{root}/{name}", deadline)
    sys.stdout.write(json.dumps({"databases": found, "trouble": trouble}))


def _shut_in(wanted: Wanted) -> str:
    """Give up all that root may do; what the tree is called from now on."""
    system = ctypes.CDLL(None)
    root = wanted.tree
    if os.geteuid() == 0:
        system.unshare(_CLONE_NEWNET)
        os.chroot(wanted.tree)
        os.setgroups([])
        os.setresgid(wanted.uid, wanted.uid, wanted.uid)
        os.setresuid(wanted.uid, wanted.uid, wanted.uid)
        root = ""
    os.chdir(root or "/")
    for limit, most in (
        (resource.RLIMIT_AS, _MOST_MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, int(wanted.seconds) + 5),
    ):
        resource.setrlimit(limit, (most, most))
    system.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    system.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # setresuid has undone an earlier one
    if os.getppid() != wanted.server:
        os._exit(1)
    return root


def _databases(root: str) -> Iterator[str]:
    """Paths below ``root`` of what begins like a database; links are not followed."""
    waiting, looked_at = [""], 0
    while waiting:
        path = waiting.pop()
        try:
            entries = sorted(os.scandir(f"{root}/{path}"), key=lambda each: each.name)
        except OSError:
            continue
        for entry in entries:
            looked_at += 1
            if looked_at > _MOST_FILES:
                return
            below = f"{path}/{entry.name}" if path else entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(below)
            elif entry.is_file(follow_symlinks=False) and _is_database(entry.path):
                yield below


def _is_database(path: str) -> bool:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        regular = stat.S_ISREG(os.fstat(opened).st_mode)
        return regular and os.pread(opened, len(_MAGIC), 0) == _MAGIC
    finally:
        os.close(opened)


def _read(path: str, deadline: float) -> dict[str, object]:
    """Without writing where that is possible; a hot journal must be rolled back first."""
    trouble = ""
    for mode in ("ro", "rw"):
        try:
            return _described(path, mode, deadline)
        except (sqlite3.Error, UnicodeError) as error:
            trouble = trouble or str(error)
    return {"tables": {}, "indexes": {}, "trouble": trouble[:_LONGEST_TEXT]}


def _described(path: str, mode: str, deadline: float) -> dict[str, object]:
    uri = f"file:{quote(os.fsencode(path))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=1, isolation_level=None)
    try:
        connection.text_factory = lambda data: data.decode("utf-8", "replace")[:_LONGEST_TEXT]
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA temp_store=MEMORY")
        schema = connection.execute(
            "SELECT type, name, coalesce(sql, '') FROM sqlite_master"
            " WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            " ORDER BY name LIMIT ?",
            [_MOST_TABLES],
        ).fetchall()
        return {
            "tables": {
                name: _table(connection, name, virtual=sql.upper().startswith("CREATE VIRTUAL"))
                for kind, name, sql in schema
                if kind == "table"
            },
            "indexes": {name: sql for kind, name, sql in schema if kind == "index"},
            "trouble": "",
        }
    finally:
        connection.close()


def _table(connection: sqlite3.Connection, name: str, *, virtual: bool) -> dict[str, object]:
    """A virtual one is not asked: that would load what it is made with."""
    if virtual:
        return {"columns": {}, "rows": None}
    quoted = '"' + name.replace('"', '""') + '"'
    columns = connection.execute(f"PRAGMA table_xinfo({quoted})").fetchall()
    declared = {each[1]: _declared(*each[2:6]) for each in columns}
    try:
        rows = connection.execute(f"SELECT count(*) FROM {quoted}").fetchone()[0]  # noqa: S608
    except sqlite3.Error:  # it takes too long, or is not whole
        rows = None
    return {"columns": declared, "rows": rows}


def _declared(kind: str, not_null: int, default: str | None, key: int) -> str:
    """As in CREATE TABLE: ``TEXT NOT NULL DEFAULT ''``."""
    parts = [
        kind,
        "PRIMARY KEY" if key else "",
        "NOT NULL" if not_null else "",
        "" if default is None else f"DEFAULT {default}",
    ]
    return " ".join(part for part in parts if part)


if __name__ == "__main__":
    main()
