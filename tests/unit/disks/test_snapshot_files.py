"""The snapshot_files on file systems that run full, and on disks of apps that mean harm."""

import os
from pathlib import Path

import pytest

from pushdeploy.disks.snapshot_files import SnapshotFiles
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName
from tests.unit.disks.looking import APP, DATA, contents, nothing

UPLOADS = DiskName("uploads")


# ------------------------------------------------------------- the directories themselves


def test_several_disks_make_one_snapshot(snapshot_files: SnapshotFiles, tmp_path: Path) -> None:
    disks = {DATA: tmp_path / "a", UPLOADS: tmp_path / "b"}
    for size, path in enumerate(disks.values(), 3):
        path.mkdir()
        (path / "file").write_bytes(b"x" * size)
    taken = snapshot_files.take(APP, 1, disks, None, nothing)
    assert taken.sizes_bytes == {DATA: 3, UPLOADS: 4}
    for path in disks.values():
        (path / "file").unlink()
    snapshot_files.restore(APP, 1, disks, nothing)
    assert (disks[UPLOADS] / "file").read_bytes() == b"xxxx"


def test_directories_lose_the_attributes_that_they_did_not_have(
    snapshot_files: SnapshotFiles, disk: Path
) -> None:
    (disk / "kept").mkdir()
    os.setxattr(disk / "kept", "user.before", b"1")
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    os.setxattr(disk / "kept", "user.after", b"2")
    os.setxattr(disk, "user.after", b"2")
    snapshot_files.restore(APP, 1, {DATA: disk}, nothing)
    assert os.listxattr(disk) == []
    assert os.listxattr(disk / "kept") == ["user.before"]


def test_lines_name_the_disk_and_count_the_files(snapshot_files: SnapshotFiles, disk: Path) -> None:
    (disk / "file").write_bytes(b"x" * 12_345)
    lines: list[str] = []
    snapshot_files.take(APP, 1, {DATA: disk}, None, lines.append)
    assert lines == ["data: 1 of 1 files copied, 12.1 kB"]


def test_snapshot_is_never_overwritten(snapshot_files: SnapshotFiles, disk: Path) -> None:
    (disk / "file").write_text("first")
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    with pytest.raises(UserError):
        snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    assert contents(snapshot_files.path(APP, 1, DATA)) == {"file": b"first"}


def test_nothing_is_restored_from_a_snapshot_without_the_disk(
    snapshot_files: SnapshotFiles, disk: Path
) -> None:
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    (disk / "file").write_text("kept")
    with pytest.raises(UserError, match="no disk uploads"):
        snapshot_files.restore(APP, 1, {DATA: disk, UPLOADS: disk}, nothing)
    assert contents(disk) == {"file": b"kept"}


def test_clone_takes_an_empty_directory_only(snapshot_files: SnapshotFiles, disk: Path) -> None:
    (disk / "file").write_text("kept")
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    with pytest.raises(UserError, match="not empty"):
        snapshot_files.clone(APP, 1, DATA, disk, 0)
    assert contents(disk) == {"file": b"kept"}


def test_former_snapshot_that_is_gone_does_not_matter(
    snapshot_files: SnapshotFiles, disk: Path
) -> None:
    (disk / "file").write_text("x")
    snapshot_files.take(APP, 5, {DATA: disk}, 4, nothing)
    assert contents(snapshot_files.path(APP, 5, DATA)) == {"file": b"x"}


def test_sweep_removes_what_killed_servers_left(
    snapshot_files: SnapshotFiles, disk: Path, tmp_path: Path
) -> None:
    for number in (1, 2):
        snapshot_files.take(APP, number, {DATA: disk}, None, nothing)
    snapshot_files.take(APP + 1, 1, {DATA: disk}, None, nothing)
    (tmp_path / "snapshots" / str(APP) / ".new-3" / "data").mkdir(parents=True)
    assert snapshot_files.sweep([(APP, 1)]) == 3
    assert [path.name for path in (tmp_path / "snapshots").glob("*/*")] == ["1"]
    assert snapshot_files.path(APP, 1, DATA).is_dir()
    assert not snapshot_files.path(APP + 1, 1, DATA).parent.parent.exists()


def test_what_was_removed_by_half_is_removed_the_next_time(
    snapshot_files: SnapshotFiles, disk: Path, tmp_path: Path
) -> None:
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    (tmp_path / "snapshots" / str(APP) / ".gone-1" / "left").mkdir(parents=True)
    snapshot_files.remove(APP, 1)
    assert list((tmp_path / "snapshots" / str(APP)).iterdir()) == []


def test_snapshots_of_an_app_go_with_it(snapshot_files: SnapshotFiles, disk: Path) -> None:
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    snapshot_files.remove_app(APP)
    snapshot_files.remove_app(APP)
    snapshot_files.remove(APP, 1)
    assert not snapshot_files.path(APP, 1, DATA).parent.parent.exists()


def test_imported_tree_becomes_a_snapshot(
    snapshot_files: SnapshotFiles, disk: Path, tmp_path: Path
) -> None:
    imported = tmp_path / "imported"
    imported.mkdir()
    (imported / "file").write_text("12345")
    assert snapshot_files.adopt(APP, 1, DATA, imported) == 5
    assert not imported.exists()
    snapshot_files.restore(APP, 1, {DATA: disk}, nothing)
    assert contents(disk) == {"file": b"12345"}


def test_tree_of_another_file_system_becomes_a_snapshot(
    snapshot_files: SnapshotFiles, small: Path
) -> None:
    (small / "imported").mkdir()
    (small / "imported" / "file").write_text("12345")
    assert snapshot_files.adopt(APP, 1, DATA, small / "imported") == 5
    assert contents(snapshot_files.path(APP, 1, DATA)) == {"file": b"12345"}
    assert not (small / "imported").exists()


# --------------------------------------------------------------------------- hostile disks


def test_failing_listener_leaves_no_snapshot(
    snapshot_files: SnapshotFiles, disk: Path, tmp_path: Path
) -> None:
    def gone(_line: str) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        snapshot_files.take(APP, 1, {DATA: disk}, None, gone)
    assert not list(tmp_path.glob("snapshots/*/*"))
