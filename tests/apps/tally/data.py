"""The database on the disk, and what tells that two versions had it open at once."""

import fcntl
import os
import pathlib
import sqlite3

DISK = pathlib.Path(os.environ.get("DISK_PATH", "/tmp"))


def word(name, otherwise=""):
    """What a file of the repository says, which may be missing."""
    path = pathlib.Path(name)
    return path.read_text().strip() if path.exists() else otherwise


VERSION = word("VERSION")


def connect():
    connection = sqlite3.connect(DISK / "tally.sqlite3", timeout=20)
    connection.execute(f"PRAGMA journal_mode={word('JOURNAL', 'wal')}")
    connection.execute("CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, note TEXT)")
    return connection


def claim():
    """Held until this process ends. Who finds it held leaves word of it."""
    lock = (DISK / "writer.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with (DISK / "overlapped").open("a") as overlapped:
            overlapped.write(f"version {VERSION} met another\n")
    return lock
