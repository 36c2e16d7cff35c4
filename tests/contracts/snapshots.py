"""A bench for snapshots: their files, a disk, and all that an app may leave on it."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pushdeploy.disks.snapshot_files import SnapshotFiles
from pushdeploy.domain.names import DiskName

PLACES = {"plain": "copy", "btrfs": "reflink", "xfs": "reflink"}
"""Which kind is the best one where; plain is where pytest keeps its files."""

DATA = DiskName("data")
APP = 7
MEGABYTE = 1024 * 1024


@dataclass
class Bench:
    kind: str
    root: Path
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.disk = self.root / "disk"
        self.disk.mkdir()
        self.snapshot_files = SnapshotFiles(self.root / "snapshots")
        self.disks = {DATA: self.disk}

    def take(self, number: int, former: int | None = None, *, flush: bool = False) -> Path:
        taken = self.snapshot_files.take(
            APP, number, self.disks, former, self.lines.append, flush=flush
        )
        assert taken.kind == self.kind
        return self.snapshot_files.path(APP, number, DATA)

    def catch_up(self, number: int, early: int) -> Path:
        taken = self.snapshot_files.catch_up(APP, number, self.disks, early, self.lines.append)
        assert taken.kind == self.kind
        return self.snapshot_files.path(APP, number, DATA)

    def restore(self, number: int) -> None:
        self.snapshot_files.restore(APP, number, self.disks, self.lines.append)

    def clone(self, number: int, uid: int = 0) -> Path:
        target = Path(tempfile.mkdtemp(dir=self.root))
        self.snapshot_files.clone(APP, number, DATA, target, uid)
        return target


@contextmanager
def bench_in(kind: str, place: Path) -> Iterator[Bench]:
    """In a directory of its own below ``place``, where snapshots are of this kind."""
    root = Path(tempfile.mkdtemp(dir=place))
    yield Bench(kind, root)
    shutil.rmtree(root)


def facts(tree: Path) -> Mapping[str, tuple[object, ...]]:
    """All that a disk holds: types, modes, owners, sizes, times and contents, by path."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [tree, *sorted(tree.rglob("*"))]:
        status = path.lstat()
        content: object = None
        if stat.S_ISLNK(status.st_mode):
            content = path.readlink()
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        owner = (status.st_uid, status.st_gid)
        found[str(path.relative_to(tree))] = (status.st_mode, owner, status.st_mtime_ns, content)
    return found


def inodes(tree: Path) -> Mapping[str, tuple[int, int]]:
    """Which files these are, and when they last changed in any way."""
    return {
        str(path.relative_to(tree)): (path.lstat().st_ino, path.lstat().st_ctime_ns)
        for path in tree.rglob("*")
        if path.is_file()
    }


def litter(disk: Path) -> None:
    """A bit of everything that an app may leave on a disk."""
    (disk / "uploads" / "deep").mkdir(parents=True)
    (disk / "uploads" / "deep" / "ä\udcff.txt").write_bytes(b"not UTF-8")
    (disk / "empty").touch()
    (disk / "script").write_text("#!/bin/sh")
    (disk / "script").chmod(0o750)
    (disk / "away").symlink_to("/etc/passwd")
    (disk / "nowhere").symlink_to("missing")
    (disk / "two").write_text("names")
    (disk / "uploads" / "names").hardlink_to(disk / "two")
    os.mkfifo(disk / "fifo", 0o640)
    with (disk / "sparse").open("wb") as file:
        file.seek(50 * MEGABYTE)
        file.write(b"end")
        file.truncate(100 * MEGABYTE)
    if os.geteuid() == 0:
        os.chown(disk / "uploads", 20_007, 20_007)
        os.chown(disk / "away", 20_007, 20_007, follow_symlinks=False)
        os.chown(disk, 20_007, 20_007)
    disk.chmod(0o2770)
    os.utime(disk / "two", ns=(1, 1))
