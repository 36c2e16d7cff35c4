"""A home that cannot be written to is told from one that can, whatever the reason; on real ones."""

import errno
import os
from pathlib import Path

import pytest

from pushdeploy.domain.errors import BackendDown, BuildFailed, NoRoom, UserError
from pushdeploy.no_room import no_room_at, no_room_behind
from pushdeploy.reserve import Reserve
from tests.grounds import fill, memory, remount

MEGABYTE = 1 << 20

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems")


def test_nothing_is_lacking_where_there_is_room(tmp_path: Path) -> None:
    assert no_room_at(tmp_path) is None
    assert no_room_behind(BackendDown("the database cannot be used"), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_full_file_system_is_named_with_what_makes_room(tmp_path: Path) -> None:
    with memory(tmp_path / "home", "size=1m") as home:
        fill(home)
        lack = no_room_at(home / "deeper")
        assert lack is None  # there is no such place
        lack = no_room_at(home)
        assert lack is not None
        assert lack.message == f"the file system at {home} is full: 0 B of 1.0 MB are free"
        assert "releases:gc" in lack.hint


def test_a_file_system_that_can_hold_no_more_files_is_told_from_a_full_one(
    tmp_path: Path,
) -> None:
    with memory(tmp_path / "home", "size=1m,nr_inodes=20") as home:
        for number in range(50):
            try:
                (home / str(number)).touch()
            except OSError:
                break
        lack = no_room_at(home)
        assert lack is not None
        assert lack.message == f"the file system at {home} has no room for another file"


def test_a_read_only_file_system_is_told_from_a_full_one(tmp_path: Path) -> None:
    with memory(tmp_path / "home", "size=1m") as home:
        (home / "below").mkdir()
        remount(home, "ro")
        lack = no_room_at(home / "below")
        assert lack is not None
        assert lack.message == f"the file system at {home} is read-only: nothing can be changed"
        assert f"mount -o remount,rw {home}" in lack.hint


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "the quota at"),
        (errno.EROFS, "is read-only"),
    ],
)
def test_an_error_that_has_it_as_its_cause_is_enough(
    tmp_path: Path, number: int, said: str
) -> None:
    error = BackendDown("nginx cannot be reached")
    error.__cause__ = OSError(number, os.strerror(number))
    told = no_room_behind(error, tmp_path)
    assert isinstance(told, NoRoom)
    assert said in told.message


def test_what_people_and_apps_did_wrong_is_told_as_it_is_on_a_full_home_too(
    tmp_path: Path,
) -> None:
    with memory(tmp_path / "home", "size=1m") as home:
        fill(home)
        assert no_room_behind(UserError("there is no app shop"), home) is None
        assert no_room_behind(BuildFailed("pip failed"), home) is None
        assert isinstance(no_room_behind(BackendDown("disk I/O error"), home), NoRoom)
        assert isinstance(no_room_behind(FileExistsError(errno.EEXIST, "staging"), home), NoRoom)


def test_the_reserve_is_room_and_files_that_are_given_up_once(tmp_path: Path) -> None:
    with memory(tmp_path / "home", "size=64m,nr_inodes=100") as home:
        reserve = Reserve(home)
        reserve.keep()
        reserve.keep()
        fill(home)
        assert no_room_at(home) is not None
        assert reserve.give_up()
        assert no_room_at(home) is None
        assert not reserve.give_up()
        reserve.keep()  # there is too little for it, and that is no trouble
        assert no_room_at(home) is None


def test_no_reserve_is_taken_from_a_home_that_is_nearly_full(tmp_path: Path) -> None:
    with memory(tmp_path / "home", "size=8m") as home:
        Reserve(home).keep()
        assert list(home.iterdir()) == []
