"""When a file is trusted to be what a snapshot holds."""

import json
import os
from pathlib import Path

import pytest

from pushdeploy.disks.index import Identity, Index

SECOND = 10**9


@pytest.fixture
def status(tmp_path: Path) -> os.stat_result:
    (tmp_path / "file").write_text("x")
    return (tmp_path / "file").stat()


@pytest.mark.parametrize(("age_seconds", "trusted"), [(0, False), (59, False), (60, True)])
def test_only_a_file_that_was_at_rest_when_it_was_copied_is_trusted(
    status: os.stat_result, age_seconds: int, trusted: bool
) -> None:
    identity = Identity.of(status, status.st_ctime_ns + age_seconds * SECOND)
    assert identity.fits(status)
    assert identity.vouches_for(status) == trusted


@pytest.mark.parametrize(("flushed_after_seconds", "trusted"), [(-1, False), (0, False), (1, True)])
def test_a_young_file_is_trusted_when_a_flush_came_between(
    status: os.stat_result, flushed_after_seconds: int, trusted: bool
) -> None:
    flushed_ns = status.st_ctime_ns + flushed_after_seconds * SECOND
    identity = Identity.of(status, status.st_ctime_ns + 2 * SECOND, flushed_ns)
    assert identity.vouches_for(status) == trusted


@pytest.mark.parametrize(("age_seconds", "trusted"), [(59, False), (60, True)])
def test_an_index_of_before_says_when_its_files_were_copied(
    status: os.stat_result, tmp_path: Path, age_seconds: int, trusted: bool
) -> None:
    former = [*Identity.of(status, 0)[:4], status.st_ctime_ns + age_seconds * SECOND]
    (tmp_path / "data.index").write_text(json.dumps({"files": {"file": former}, "size_bytes": 1}))
    assert Index.read(tmp_path / "data").files["file"].vouches_for(status) == trusted


@pytest.mark.parametrize("field", ["inode", "size_bytes", "mtime_ns", "ctime_ns"])
def test_file_that_looks_different_is_not_trusted(status: os.stat_result, field: str) -> None:
    identity = Identity.of(status, status.st_ctime_ns + 3600 * SECOND)
    other = identity._replace(**{field: getattr(identity, field) - 1})
    assert not other.fits(status)
    assert not other.vouches_for(status)


def test_index_survives_names_that_are_not_unicode(tmp_path: Path) -> None:
    index = Index({"a/\udcff\n.txt": Identity(1, 2, 3, 4, True)}, 2)
    index.write(tmp_path / "data")
    assert Index.read(tmp_path / "data") == index
    assert Index.read(tmp_path / "other") == Index({}, 0)
