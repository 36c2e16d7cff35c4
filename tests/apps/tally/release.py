"""A migration that does what the file MIGRATION says, or a config var of that name, and waits at a
gate half-way.

The gate is the file hold-release on the disk; at-release appears there while it waits."""

import os
import sys
import time

import data

lock = data.claim()
what = os.environ.get("MIGRATION") or data.word("MIGRATION")
database = data.connect()
print(f"migration of version {data.VERSION}: {what or 'nothing to do'}", flush=True)
if what in {"delete", "delete and fail", "fill"}:
    database.execute("DELETE FROM entries")
    database.commit()
if what == "add":
    database.execute(f"ALTER TABLE entries ADD COLUMN since_{data.VERSION} TEXT")
    database.commit()
if what == "fill":
    with (data.DISK / "filling").open("wb") as filling:
        while True:
            filling.write(bytes(1 << 20))
            filling.flush()
while (data.DISK / "hold-release").exists():
    (data.DISK / "at-release").touch()
    time.sleep(0.02)
if "fail" in what:
    sys.exit("the migration gives up")
