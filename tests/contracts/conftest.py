"""Roots on file systems that can limit a disk, made for each test."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.disks import mounts
from pushdeploy.disks.conversion import unseal
from pushdeploy.disks.programs import found
from tests.contracts.limited import MIB, Machine


@pytest.fixture(params=["btrfs", "loopfile"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    kind = str(request.param)
    _refuse_elsewhere(kind)
    place = tmp_path / "place"
    place.mkdir()
    try:
        if kind == "btrfs":
            _mount_btrfs(tmp_path / "btrfs.img", place)
        elif mounts.containing(place).kind == "btrfs":
            pytest.skip("new disks are subvolumes here")
        yield Machine(kind, place / "disks")
    finally:
        _clear(place)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Machine]:
    """For what only a disk that is an image does."""
    _refuse_elsewhere("loopfile")
    if mounts.containing(tmp_path).kind == "btrfs":
        pytest.skip("new disks are subvolumes here")
    try:
        yield Machine("loopfile", tmp_path / "disks")
    finally:
        _clear(tmp_path)


def _refuse_elsewhere(kind: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    if not Path("/dev/loop-control").exists() or not mounts.shares_them_with_the_machine():
        pytest.skip("there are no loop devices here")
    if found("mkfs.ext4") is None:
        pytest.skip("e2fsprogs is missing")
    if kind == "btrfs" and found("mkfs.btrfs") is None:
        pytest.skip("btrfs-progs is missing")


def _mount_btrfs(image: Path, place: Path) -> None:
    with image.open("wb") as file:
        file.truncate(400 * MIB)
    made = subprocess.run(["mkfs.btrfs", "--quiet", "--mixed", str(image)], check=False)
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=False)
    if made.returncode or mounted.returncode:
        pytest.skip("btrfs does not work here")


def _clear(place: Path) -> None:
    """Nothing stays mounted, whatever the test has left, nor anything that pytest cannot remove."""
    for point in mounts.below(place):
        subprocess.run(["umount", "--lazy", point], check=True)
    for path in place.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            unseal(path)
