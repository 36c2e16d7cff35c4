"""The snapshot_files on file systems that run full, and on disks of apps that mean harm."""

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pushdeploy.disks.index import Index
from pushdeploy.disks.snapshot_files import SnapshotFiles
from pushdeploy.domain.errors import NoRoom, UserError
from pushdeploy.domain.names import DiskName
from tests.grounds import file_system

DATA, UPLOADS = DiskName("data"), DiskName("uploads")
APP = 7
MEGABYTE = 1024 * 1024

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do that")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.mkdir()
    return path


@pytest.fixture
def snapshot_files(tmp_path: Path) -> SnapshotFiles:
    return SnapshotFiles(tmp_path / "snapshots")


@pytest.fixture
def small() -> Iterator[Path]:
    """The root of a file system of 64 MB."""
    with file_system("ext4", 64) as place:
        yield place


def nothing(_line: str) -> None:
    """For those who do not want to know."""


def contents(tree: Path) -> Mapping[str, bytes]:
    return {
        str(path.relative_to(tree)): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


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


# --------------------------------------------------------------------------- full file systems


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


# --------------------------------------------------------------------------- hostile disks


@contextmanager
def swapping(path: Path, secret: Path) -> Iterator[None]:
    """Somebody makes the name now what it is, now a link to ``secret``, as fast as it goes."""
    script = (
        "import os, sys\n"
        "path, link = sys.argv[1], sys.argv[1] + '.link'\n"
        "os.symlink(sys.argv[2], link)\n"
        "print(flush=True)\n"
        "while True:\n"
        "    os.rename(path, path + '.away'); os.rename(link, path)\n"
        "    os.rename(path, link); os.rename(path + '.away', path)\n"
    )
    command = [sys.executable, "-c", script, str(path), str(secret)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as swapper:
        try:
            assert swapper.stdout
            assert swapper.stdout.readline()
            yield
            assert swapper.poll() is None
        finally:
            swapper.kill()


def test_link_that_takes_the_place_of_a_file_leads_nowhere(
    snapshot_files: SnapshotFiles, disk: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (disk / "file").write_text("mine")
    with swapping(disk / "file", tmp_path / "secret"):
        for number in range(1, 13):
            snapshot_files.take(APP, number, {DATA: disk}, None, nothing)
            assert set(contents(snapshot_files.path(APP, number, DATA)).values()) <= {b"mine"}


def test_link_that_takes_the_place_of_a_directory_leads_nowhere(
    snapshot_files: SnapshotFiles, disk: Path, tmp_path: Path
) -> None:
    for place, text in ((tmp_path / "secrets", "secret"), (disk / "files", "mine")):
        place.mkdir()
        for number in range(100):
            (place / str(number)).write_text(text)
    with swapping(disk / "files", tmp_path / "secrets"):
        for number in range(1, 13):
            snapshot_files.take(APP, number, {DATA: disk}, None, nothing)
            assert set(contents(snapshot_files.path(APP, number, DATA)).values()) <= {b"mine"}


def test_restore_does_not_reach_through_links(
    snapshot_files: SnapshotFiles, disk: Path, tmp_path: Path
) -> None:
    (disk / "files").mkdir()
    (disk / "files" / "one").write_text("mine")
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "other").write_text("untouched")
    shutil.rmtree(disk / "files")
    (disk / "files").symlink_to(outside)
    snapshot_files.restore(APP, 1, {DATA: disk}, nothing)
    assert contents(outside) == {"other": b"untouched"}
    assert contents(disk) == {"files/one": b"mine"}


@as_root
def test_device_is_left_out_and_named(snapshot_files: SnapshotFiles, disk: Path) -> None:
    os.mknod(disk / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    lines: list[str] = []
    snapshot_files.take(APP, 1, {DATA: disk}, None, lines.append)
    assert not (snapshot_files.path(APP, 1, DATA) / "null").exists()
    assert "data: null is a device: left out" in lines


@as_root
def test_name_that_is_no_text_is_told_as_text_regression(
    snapshot_files: SnapshotFiles, disk: Path
) -> None:
    name = os.fsencode(disk) + b"/d\xff\n-----> ok"
    os.mknod(name, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    lines: list[str] = []
    snapshot_files.take(APP, 1, {DATA: disk}, None, lines.append)
    assert "data: d??-----> ok is a device: left out" in lines


def test_directory_named_like_a_journal_is_in_the_snapshot_regression(
    snapshot_files: SnapshotFiles, disk: Path
) -> None:
    with closing(sqlite3.connect(disk / "trip")) as database:
        database.execute("CREATE TABLE days (day TEXT)")
    for name in ("trip-journal", "trip-shm", "trip-wal"):
        (disk / name).mkdir()
        (disk / name / "day").write_text("fine")
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    before = contents(disk)
    (disk / "trip").unlink()
    snapshot_files.restore(APP, 1, {DATA: disk}, nothing)
    assert contents(disk) == before


def test_link_that_becomes_a_directory_meanwhile_is_left_out_regression(
    snapshot_files: SnapshotFiles, disk: Path
) -> None:
    (disk / "one").mkdir()
    (disk / "other").symlink_to("nowhere")
    swap = (
        "import ctypes, sys; rename = ctypes.CDLL(None).renameat2\n"
        "while True: rename(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2)"
    )
    command = [sys.executable, "-c", swap, str(disk / "one"), str(disk / "other")]
    with subprocess.Popen(command) as swapping:
        try:
            for number in range(1, 11):
                snapshot_files.take(APP, number, {DATA: disk}, None, nothing)
        finally:
            swapping.kill()


def test_bottomless_directories_are_refused_and_nothing_is_left(
    snapshot_files: SnapshotFiles, disk: Path, tmp_path: Path
) -> None:
    below = disk
    for _ in range(300):
        below /= "d"
        below.mkdir()
    with pytest.raises(UserError, match="200 deep"):
        snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    assert not list(tmp_path.glob("snapshots/*/*"))


@as_root
def test_private_files_of_root_are_in_the_snapshot_and_stay_private(
    snapshot_files: SnapshotFiles, disk: Path
) -> None:
    """As an app that runs as root in its container leaves them, beside those of its user."""
    os.chown(disk, 20_007, 20_007)
    (disk / "key").write_text("x")
    (disk / "key").chmod(0o600)
    snapshot_files.take(APP, 1, {DATA: disk}, None, nothing)
    (disk / "key").unlink()
    snapshot_files.restore(APP, 1, {DATA: disk}, nothing)
    status = (disk / "key").stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (0, 0o600)
    assert disk.stat().st_uid == 20_007


def test_failing_listener_leaves_no_snapshot(
    snapshot_files: SnapshotFiles, disk: Path, tmp_path: Path
) -> None:
    def gone(_line: str) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        snapshot_files.take(APP, 1, {DATA: disk}, None, gone)
    assert not list(tmp_path.glob("snapshots/*/*"))
