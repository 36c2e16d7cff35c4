"""Disks on a real file system: whose they are, what survives, what is never followed."""

import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.domain.manifest import Mount
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.settings import AppSettings

SHOP = App(7, AppName("shop"), datetime(2026, 1, 31, tzinfo=UTC), AppSettings(), {})
BLOG = AppName("blog")
DATA = DiskName("data")
UPLOADS = DiskName("uploads")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


@pytest.fixture
def disks(tmp_path: Path) -> Directories:
    return Directories(tmp_path / "disks")


def test_new_disk_is_for_its_app_alone(disks: Directories) -> None:
    path = disks.ensure(SHOP, DATA)
    assert path == disks.path(SHOP.name, DATA)
    assert stat.S_IMODE(path.stat().st_mode) == 0o2770
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@as_root
def test_new_disk_belongs_to_the_uid_of_its_app(disks: Directories) -> None:
    made = disks.ensure(SHOP, DATA).stat()
    assert (made.st_uid, made.st_gid) == (SHOP.uid, SHOP.uid)


@as_root
def test_disk_that_is_there_keeps_its_data_and_its_owner(disks: Directories) -> None:
    path = disks.ensure(SHOP, DATA)
    (path / "kept").write_text("x")
    os.chown(path, 1234, 1234)
    path.chmod(0o755)

    assert disks.ensure(SHOP, DATA) == path
    assert (path / "kept").read_text() == "x"
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (1234, 0o755)


@as_root
def test_disk_of_a_destroyed_app_is_handed_to_its_namesake(disks: Directories) -> None:
    path = disks.ensure(SHOP, DATA)
    (path / "below").mkdir()
    os.chown(path / "below", SHOP.uid, SHOP.uid)
    for name, owner in (("below/own", SHOP.uid), ("other", 33)):
        (path / name).touch()
        os.chown(path / name, owner, SHOP.uid)
    (path / "link").symlink_to("/etc/passwd")
    os.chown(path / "link", SHOP.uid, SHOP.uid, follow_symlinks=False)

    namesake = replace(SHOP, id=8)
    disks.ensure(namesake, DATA)
    uid = namesake.uid
    found = {name: (path / name).lstat() for name in (".", "below", "below/own", "other", "link")}
    assert {name: (each.st_uid, each.st_gid) for name, each in found.items()} == {
        ".": (uid, uid),
        "below": (uid, uid),
        "below/own": (uid, uid),
        "other": (33, uid),
        "link": (uid, uid),
    }
    assert Path("/etc/passwd").stat().st_uid == 0


def test_mounts_make_what_is_missing(disks: Directories) -> None:
    attachments = [Attachment(UPLOADS, "/app/uploads"), Attachment(DATA, "/data")]
    assert disks.mounts(SHOP, attachments) == [
        Mount(str(disks.path(SHOP.name, UPLOADS)), "/app/uploads"),
        Mount(str(disks.path(SHOP.name, DATA)), "/data"),
    ]
    assert disks.list(SHOP.name) == [DATA, UPLOADS]


def test_mounts_are_absolute_for_the_engine_takes_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (mount,) = Directories(Path("disks")).mounts(SHOP, [Attachment(DATA, "/data")])
    assert mount.source == str(tmp_path / "disks/shop/data")


def test_list_shows_disks_and_nothing_else(disks: Directories, tmp_path: Path) -> None:
    assert disks.list(SHOP.name) == []
    place = disks.ensure(SHOP, DATA).parent
    (place / ".new-left-by-a-kill").mkdir()
    (place / "a file").touch()
    (place / "link").symlink_to(tmp_path)
    assert disks.list(SHOP.name) == [DATA]


def test_used_bytes_are_those_on_the_disk(disks: Directories) -> None:
    path = disks.ensure(SHOP, DATA)
    empty = disks.used_bytes(SHOP.name, DATA)
    (path / "file").write_bytes(os.urandom(1_000_000))
    os.link(path / "file", path / "the same file")
    with (path / "sparse").open("wb") as sparse:
        sparse.truncate(1_000_000_000)
    assert 1_000_000 <= disks.used_bytes(SHOP.name, DATA) - empty < 1_100_000


def test_missing_disk_uses_nothing(disks: Directories) -> None:
    assert disks.used_bytes(SHOP.name, DATA) == 0


def test_symlink_in_a_disk_is_neither_counted_nor_followed(
    disks: Directories, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(os.urandom(1_000_000))
    path = disks.ensure(SHOP, DATA)
    (path / "out").symlink_to(outside)

    assert disks.used_bytes(SHOP.name, DATA) < 100_000
    disks.destroy(SHOP.name, DATA)
    assert (outside / "secret").stat().st_size == 1_000_000


@pytest.mark.parametrize("place", ["shop", "shop/data"])
def test_symlink_in_place_of_a_disk_is_refused(
    disks: Directories, tmp_path: Path, place: str
) -> None:
    outside = tmp_path / "outside"
    (outside / "data").mkdir(parents=True)
    link = tmp_path / "disks" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)

    for use in (
        lambda: disks.ensure(SHOP, DATA),
        lambda: disks.used_bytes(SHOP.name, DATA),
        lambda: disks.destroy(SHOP.name, DATA),
    ):
        with pytest.raises(BackendDown, match="not a directory of its own"):
            use()
    assert (outside / "data").is_dir()


def test_directories_nested_by_an_app_beyond_any_recursion_are_counted_and_destroyed(
    disks: Directories,
) -> None:
    path = disks.ensure(SHOP, DATA)
    here = os.open(path, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    (path / "file").write_bytes(os.urandom(100_000))

    assert disks.used_bytes(SHOP.name, DATA) >= 100_000
    disks.destroy(SHOP.name, DATA)
    assert not path.exists()


def test_renamed_app_takes_its_disks_along_and_open_files_with_them(disks: Directories) -> None:
    path = disks.ensure(SHOP, DATA)
    with (path / "log").open("w") as held:
        disks.rename(SHOP.name, BLOG)
        held.write("still the same disk")
    assert (disks.path(BLOG, DATA) / "log").read_text() == "still the same disk"
    assert disks.list(SHOP.name) == []


def test_rename_never_mixes_the_disks_of_two_apps(disks: Directories, tmp_path: Path) -> None:
    disks.ensure(SHOP, DATA)
    (tmp_path / "disks" / "blog").mkdir()
    with pytest.raises(UserError, match="disks of an app blog already"):
        disks.rename(SHOP.name, BLOG)
    assert disks.list(SHOP.name) == [DATA]


def test_app_without_disks_is_renamed_and_destroyed_all_the_same(disks: Directories) -> None:
    disks.rename(SHOP.name, BLOG)
    disks.destroy(SHOP.name, DATA)
    disks.destroy_all(SHOP.name)


def test_destroy_takes_one_disk_and_destroy_all_the_rest(disks: Directories) -> None:
    for disk in (DATA, UPLOADS):
        (disks.ensure(SHOP, disk) / "file").touch()
    disks.destroy(SHOP.name, DATA)
    assert disks.list(SHOP.name) == [UPLOADS]
    disks.destroy_all(SHOP.name)
    assert not disks.path(SHOP.name, UPLOADS).parent.exists()
