"""Snapshots of the disks of apps that mean harm."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pushdeploy.disks.snapshot_files import SnapshotFiles
from pushdeploy.domain.errors import UserError
from tests.unit.disks.looking import APP, DATA, contents, nothing

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do that")


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
