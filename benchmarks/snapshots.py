"""Snapshots of a disk with one SQLite database or many files, and going back to one, against cp."""

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.measure import Figure, interleaved, timed
from pushdeploy.disks.snapshot_files import SnapshotFiles
from pushdeploy.domain.names import DiskName
from tests.grounds import settle
from tests.stories.harness import Server

_DATA = DiskName("data")
_APP = 1
_ROW_BYTES = 100_000
_MEGABYTES = {"100 MB": 100, "1 GB": 1000}
_FORMER = 1
_SMALL_RUNS, _LARGE_RUNS = 7, 7
_FEW_FILES, _MANY_FILES, _MANY_FILES_RUNS = 10_000, 100_000, 3
_IN_A_DIRECTORY, _FILE_BYTES = 200, 1500


def measure(server: Server, runs: int, *, quick: bool = False) -> list[Figure]:
    """Beside the server's home, so on its file system; 100 MB and some files when ``quick``."""
    sizes = ["100 MB"] if quick else list(_MEGABYTES)
    figures = []
    for size in sizes:
        root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-", dir=server.root))
        try:
            most = _SMALL_RUNS if size == "100 MB" else _LARGE_RUNS
            figures += _Disk(root, size).measure(min(runs, most))
        finally:
            shutil.rmtree(root)
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-", dir=server.root))
    try:
        files = _ManyFiles(root, _FEW_FILES if quick else _MANY_FILES)
        figures += files.measure(min(runs, _MANY_FILES_RUNS))
    finally:
        shutil.rmtree(root)
    return figures


class _Disk:
    """What is made in one run is removed before the next, outside of the time that is taken."""

    def __init__(self, root: Path, size: str) -> None:
        self._root = root
        self._size = size
        self._live = root / "disk"
        self._live.mkdir()
        _fill(self._live / "app.db", _MEGABYTES[size] * 1_000_000)
        self._disks = {_DATA: self._live}
        self._snapshot_files = SnapshotFiles(root / "snapshots")
        self._take(_FORMER, None)
        settle(self._snapshot_files.path(_APP, _FORMER, _DATA))

    def measure(self, runs: int) -> list[Figure]:
        found = interleaved(
            {
                "cp": lambda: self._copied("cp -a $0 $1"),
                "cp, flushed": lambda: self._copied("cp -a $0 $1 && sync $1/app.db"),
                "rm and cp, flushed": self._copied_back,
                "snapshot": lambda: self._taken(None),
                "snapshot, nothing changed": lambda: self._taken(_FORMER),
                "restore": self._restored,
                "restore, nothing changed": lambda: timed(self._restore),
            },
            runs,
        )
        return [
            Figure(
                f"{self._size}: {name}",
                runs=seconds,
                reference=self._reference(name),
                aim=self._aim(name),
            )
            for name, seconds in found.items()
        ]

    def _reference(self, name: str) -> str | None:
        """What does the same work by hand."""
        if name.startswith(("cp", "rm")):
            return None
        by_hand = "rm and cp, flushed" if name == "restore" else "cp, flushed"
        return f"{self._size}: {by_hand}"

    def _aim(self, name: str) -> str:
        """The start of a process weighs on the small one."""
        if name in {"snapshot", "restore"}:
            return "<= 2.5" if self._size == "100 MB" else "<= 1.2"
        return ""

    def _copied(self, script: str) -> float:
        copy = self._root / "copy"
        command = ["sh", "-c", script, str(self._live), str(copy)]
        seconds = timed(lambda: subprocess.run(command, check=True))
        shutil.rmtree(copy)
        return seconds

    def _copied_back(self) -> float:
        """In place of one that is there: as a disk is before it is restored."""
        copy = self._root / "copy"
        shutil.copytree(self._live, copy)
        subprocess.run(["sync", str(copy / "app.db")], check=True)
        script = "rm $1/app.db && cp -a $0/app.db $1 && sync $1/app.db"
        command = ["sh", "-c", script, str(self._live), str(copy)]
        seconds = timed(lambda: subprocess.run(command, check=True))
        shutil.rmtree(copy)
        return seconds

    def _taken(self, former: int | None) -> float:
        seconds = timed(lambda: self._take(_FORMER + 1, former))
        self._snapshot_files.remove(_APP, _FORMER + 1)
        return seconds

    def _take(self, number: int, former: int | None) -> None:
        self._snapshot_files.take(_APP, number, self._disks, former, lambda _line: None)

    def _restored(self) -> float:
        """Of a database that a migration has changed; afterwards it is trusted again."""
        self._snapshot_files.take(_APP, _FORMER + 1, self._disks, None, lambda _line: None)
        with closing(sqlite3.connect(self._live / "app.db")) as app:
            app.execute("PRAGMA user_version = 1")
        seconds = timed(lambda: self._restore(_FORMER + 1))
        for number in (_FORMER, _FORMER + 1):
            self._snapshot_files.remove(_APP, number)
        self._take(_FORMER, None)
        settle(self._snapshot_files.path(_APP, _FORMER, _DATA))
        return seconds

    def _restore(self, number: int = _FORMER) -> None:
        self._snapshot_files.restore(_APP, number, self._disks, lambda _line: None)


class _ManyFiles:
    """Uploads, say. In the hold they are looked at, when a copy was taken while the app served."""

    def __init__(self, root: Path, count: int) -> None:
        self._root = root
        self._live = root / "disk"
        self._label = f"{count:,} small files"
        self._snapshot_files = SnapshotFiles(root / "snapshots")
        for number in range(count):
            place = self._live / str(number // _IN_A_DIRECTORY)
            place.mkdir(parents=True, exist_ok=True)
            (place / str(number)).write_bytes(b"x" * _FILE_BYTES)

    def measure(self, runs: int) -> list[Figure]:
        found = interleaved(
            {
                "cp, flushed": self._copied,
                "snapshot": self._taken,
                "snapshot in the hold, after a copy ahead": self._caught_up,
            },
            runs,
        )
        reference = f"{self._label}: cp, flushed"
        aims = {"snapshot": "<= 1.3"}
        return [
            Figure(
                f"{self._label}: {name}",
                runs=seconds,
                reference=None if name.startswith("cp") else reference,
                aim=aims.get(name, ""),
            )
            for name, seconds in found.items()
        ]

    def _copied(self) -> float:
        copy = self._root / "copy"
        script = "cp -a $0 $1 && sync -f $1"
        command = ["sh", "-c", script, str(self._live), str(copy)]
        seconds = timed(lambda: subprocess.run(command, check=True))
        shutil.rmtree(copy)
        return seconds

    def _taken(self) -> float:
        seconds = timed(lambda: self._take(flush=False))
        self._snapshot_files.remove(_APP, _FORMER)
        return seconds

    def _caught_up(self) -> float:
        self._take(flush=True)
        disks = {_DATA: self._live}
        seconds = timed(
            lambda: self._snapshot_files.catch_up(
                _APP, _FORMER + 1, disks, _FORMER, lambda _line: None
            )
        )
        for number in (_FORMER, _FORMER + 1):
            self._snapshot_files.remove(_APP, number)
        return seconds

    def _take(self, *, flush: bool) -> None:
        disks = {_DATA: self._live}
        self._snapshot_files.take(_APP, _FORMER, disks, None, lambda _line: None, flush=flush)


def _fill(path: Path, size_bytes: int) -> None:
    rows: Sequence[tuple[int]] = [(_ROW_BYTES,)] * (size_bytes // _ROW_BYTES)
    with closing(sqlite3.connect(path)) as app:
        app.execute("PRAGMA journal_mode = WAL")
        app.execute("CREATE TABLE upload (content BLOB)")
        app.executemany("INSERT INTO upload VALUES (randomblob(?))", rows)
        app.commit()
