"""Snapshots on file systems that run full."""

import os
import re
import shutil
from pathlib import Path

import pytest

from pushdeploy.disks.index import Index
from pushdeploy.disks.snapshot_files import SnapshotFiles
from pushdeploy.domain.errors import NoRoom
from tests.unit.disks.looking import APP, DATA, contents, nothing

MEGABYTE = 1024 * 1024


def test_missing_room_is_found_before_anything_is_copied(disk: Path, small: Path) -> None:
    (disk / "file").write_bytes(os.urandom(80 * MEGABYTE))
    with pytest.raises(NoRoom) as refused:
        SnapshotFiles(small / "snapshots").take(APP, 1, {DATA: disk}, None, nothing)
    needed, free = re.findall(r"[\d.]+ MB", refused.value.message)
    assert needed == "80.0 MB"
    assert 30 < float(free.split()[0]) < 64
    assert not list(small.glob("snapshots/*/*"))


def test_copy_without_room_for_it_writes_nothing(
    snapshot_files: SnapshotFiles, disk: Path, small: Path
) -> None:
    for number in range(8):
        (disk / f"{number}").write_bytes(os.urandom(10 * MEGABYTE))
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    before = shutil.disk_usage(small).free
    with pytest.raises(NoRoom, match=r"a copy of data needs 80\.0 MB, and"):
        snapshot_files.clone(APP, 1, DATA, small / "copy", 20_000)
    assert not (small / "copy").exists()
    assert shutil.disk_usage(small).free == before


def test_file_system_that_runs_full_in_a_take_is_left_as_it_was(disk: Path, small: Path) -> None:
    """The estimate trusts the former snapshot, whose file turns out to be gone."""
    snapshot_files = SnapshotFiles(small / "snapshots")
    (disk / "file").write_bytes(os.urandom(40 * MEGABYTE))
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    former = snapshot_files.path(APP, 1, DATA)
    index = Index.read(former)
    file = index.files["file"]
    Index({"file": file._replace(at_rest=True)}, 0).write(former)
    (former / "file").rename(former / "elsewhere")
    free = os.statvfs(small).f_bavail
    with pytest.raises(NoRoom, match="ran out of room"):
        snapshot_files.take(APP, 2, {DATA: disk}, 1, nothing)
    assert [path.name for path in small.glob("snapshots/*/*")] == ["1"]
    assert abs(os.statvfs(small).f_bavail - free) < 10


def test_restore_makes_room_before_it_copies(snapshot_files: SnapshotFiles, small: Path) -> None:
    disk = small / "disk"
    disk.mkdir()
    (disk / "old").write_bytes(os.urandom(35 * MEGABYTE))
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    before = contents(disk)
    (disk / "old").unlink()
    (disk / "new").write_bytes(os.urandom(35 * MEGABYTE))
    snapshot_files.restore(APP, 1, {DATA: disk}, nothing)
    assert contents(disk) == before


def test_restore_on_a_full_file_system_says_so_and_can_be_repeated(
    snapshot_files: SnapshotFiles, small: Path
) -> None:
    disk = small / "disk"
    disk.mkdir()
    (disk / "file").write_bytes(os.urandom(35 * MEGABYTE))
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    before = contents(disk)
    (disk / "file").unlink()
    (small / "somebody else's").write_bytes(os.urandom(30 * MEGABYTE))
    with pytest.raises(NoRoom, match="the disk data ran out of room"):
        snapshot_files.restore(APP, 1, {DATA: disk}, nothing)
    (small / "somebody else's").unlink()
    snapshot_files.restore(APP, 1, {DATA: disk}, nothing)
    assert contents(disk) == before
