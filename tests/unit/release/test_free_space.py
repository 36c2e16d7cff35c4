"""What a rehearsal may not take: the last room of its file system."""

import shutil
from pathlib import Path

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Cancelled, NoRoom
from pushdeploy.release.free_space import bytes_to_keep_free, space_kept
from pushdeploy.route.deadline import until

MEGABYTE = 1_000_000


def test_what_takes_too_much_is_cancelled_before_the_file_system_is_full(tmp_path: Path) -> None:
    cancellation = Cancellation()
    floor_bytes = shutil.disk_usage(tmp_path).free - 20 * MEGABYTE
    with pytest.raises(NoRoom, match="the rehearsal was ended"):
        write_inside(tmp_path, floor_bytes, 200, cancellation)


def test_what_takes_little_goes_on(tmp_path: Path) -> None:
    cancellation = Cancellation()
    with space_kept(tmp_path, bytes_to_keep_free(tmp_path), cancellation):
        assert not until(lambda: cancellation.cancelled, 0.3)


def test_what_somebody_else_cancels_is_called_so(tmp_path: Path) -> None:
    cancellation = Cancellation()
    cancellation.cancel("Ctrl-C")
    with pytest.raises(Cancelled, match="Ctrl-C"):
        write_inside(tmp_path, 0, 0, cancellation)


def write_inside(place: Path, floor_bytes: int, megabytes: int, cancellation: Cancellation) -> None:
    """Write so much and go on until somebody cancels it."""
    with space_kept(place, floor_bytes, cancellation):
        with (place / "filling").open("wb") as file:
            for _ in range(megabytes):
                file.write(bytes(MEGABYTE))
        assert until(lambda: cancellation.cancelled, 20)
        cancellation.check()
