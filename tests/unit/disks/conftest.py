"""Fixtures of the tests of disks: a disk, a place for snapshots, and a small file system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.disks.snapshot_files import SnapshotFiles
from tests.grounds import file_system


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
