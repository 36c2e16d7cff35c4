"""A database in which money is moved at full speed: what a torn copy of it cannot hide.

``python tests/bank.py DATABASE SEED`` moves money until it is killed.
"""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ACCOUNTS = 20_000
_TOTAL = ACCOUNTS * 1000
_CHECKPOINT_PAGES = 50
_MOVES = 20
"""In one transaction, all over the file: many pages change in each."""


def create(path: Path, mode: str, accounts: int = ACCOUNTS) -> None:
    """About 270 bytes an account, in journal mode ``mode``."""
    with closing(_connect(path)) as bank:
        bank.execute(f"PRAGMA journal_mode = {mode}")
        bank.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER, note TEXT)")
        bank.execute("CREATE INDEX richest ON account (money, note)")
        bank.execute("CREATE TABLE move (id INTEGER PRIMARY KEY, source INTEGER, target INTEGER)")
        bank.execute("CREATE TABLE counter (moves INTEGER)")
        bank.execute("INSERT INTO counter VALUES (0)")
        rows = ((id_, 1000, f"{id_:0100}") for id_ in range(accounts))
        bank.execute("BEGIN")
        bank.executemany("INSERT INTO account VALUES (?, ?, ?)", rows)
        bank.execute("COMMIT")


def moves(path: Path) -> int:
    """How often money was moved; an ``AssertionError`` when the database is not whole."""
    with closing(_connect(path)) as bank:
        assert bank.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        accounts, money = bank.execute("SELECT count(*), sum(money) FROM account").fetchone()
        assert money == accounts * 1000
        (counted,) = bank.execute("SELECT moves FROM counter").fetchone()
        assert bank.execute("SELECT count(*) FROM move").fetchone() == (counted,)
        return int(counted)


@contextmanager
def writers(path: Path, count: int = 2) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that move money, each of which has begun; killed in the middle at the end."""
    running = [
        subprocess.Popen(
            [sys.executable, __file__, str(path), str(seed)], stdout=subprocess.PIPE, text=True
        )
        for seed in range(count)
    ]
    try:
        for each in running:
            assert each.stdout
            assert each.stdout.readline() == "moving\n"
        yield running
        assert all(each.poll() is None for each in running), "a writer gave up"
    finally:
        for each in running:
            each.kill()
            each.communicate()


def move_for_ever(path: Path, seed: int) -> None:
    """Transactions of many pages, with a small WAL that is started anew again and again."""
    chance = random.Random(seed)
    with closing(_connect(path)) as bank:
        bank.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        bank.execute("PRAGMA synchronous = OFF")
        in_wal = bank.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        (accounts,) = bank.execute("SELECT count(*) FROM account").fetchone()
        move(bank, chance, accounts)
        sys.stdout.write("moving\n")
        sys.stdout.flush()
        while True:
            move(bank, chance, accounts)
            if not in_wal:
                # A lock goes to whoever asks first, and SQLite asks ten times a second.
                time.sleep(chance.random() * 0.004)
            if chance.random() < 0.02:
                bank.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def move(bank: sqlite3.Connection, chance: random.Random, accounts: int) -> None:
    bank.execute("BEGIN IMMEDIATE")
    for _ in range(_MOVES):
        source, target = chance.randrange(accounts), chance.randrange(accounts)
        sums = ((-1, source), (1, target))
        bank.executemany("UPDATE account SET money = money + ? WHERE id = ?", sums)
        bank.execute("INSERT INTO move (source, target) VALUES (?, ?)", (source, target))
    bank.execute("UPDATE counter SET moves = moves + ?", (_MOVES,))
    bank.execute("COMMIT")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=60, isolation_level=None)


if __name__ == "__main__":
    move_for_ever(Path(sys.argv[1]), int(sys.argv[2]))
