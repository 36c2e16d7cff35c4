"""Packs that no git client would send: each is refused with a clear line and leaves no trace."""

import hashlib
import struct
from pathlib import Path

import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.receive.incoming_pack import PackRefused, refusal
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService
from tests.unit.receive.host import APP, Receiver
from tests.unit.receive.hostile.refusing import FILE, HARMLESS, refused, with_pack
from tests.unit.receive.wire import (
    BLOB,
    BLOB_ID,
    OFS_DELTA,
    commit,
    copies,
    entry,
    line,
    name_of,
    offset,
    pack,
    say,
    tree,
)

GOOD = HARMLESS[HARMLESS.index(b"PACK") :]
NEW = name_of("commit", commit(name_of("tree", tree(FILE))))
COMMIT = commit(name_of("tree", tree(FILE)))
TREE = tree(FILE)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ended before the pack began"),
        (b"PACK", "ended before the pack began"),
        (b"KCAP" + GOOD[4:], "not a pack"),
        (GOOD[:7] + b"\x09" + GOOD[8:], "pack version 9"),
        (GOOD[:-20], "early EOF"),
        (GOOD[:-1] + b"\0", "SHA1 mismatch"),
        (GOOD[:40] + b"\xff" + GOOD[41:], "refused"),
        (pack(entry("blob", BLOB), count=9), "refused"),
        (pack(entry("blob", BLOB, size=9)), "refused"),
        (pack(entry(5, BLOB)), "refused"),
        (pack(entry(7, copies(5, 1), before=b"\x11" * 20)), "unresolved delta"),
        (pack(entry(OFS_DELTA, copies(5, 1), before=offset(99))), "offset"),
        (pack(entry("commit", b"tree of nothing\n")), "refused"),
    ],
)
def test_broken_packs_are_refused(
    service: GitService, repository: Path, data: bytes, why: str
) -> None:
    assert why in refused(service, repository, with_pack(NEW, data))


@pytest.mark.parametrize(
    "data",
    [
        pack(entry("blob", BLOB), entry("tree", TREE)),  # no commit
        pack(entry("tree", TREE), entry("commit", COMMIT)),  # no blob
        pack(entry("blob", BLOB), entry("commit", COMMIT)),  # no tree
        pack(),
    ],
)
def test_pushes_without_all_their_objects_are_refused(
    service: GitService, repositories: Repositories, receiver: Receiver, data: bytes
) -> None:
    status, answer = say(service, with_pack(NEW, data))

    assert status == 1
    assert "lacks objects" in answer or "did not receive expected object" in answer
    assert not repositories.exists(APP)


def test_a_commit_whose_parent_is_absent_is_refused(service: GitService, repository: Path) -> None:
    orphan = commit(name_of("tree", TREE), parents=["d" * 40])
    objects = pack(entry("blob", BLOB), entry("tree", TREE), entry("commit", orphan))

    answer = refused(service, repository, with_pack(name_of("commit", orphan), objects))

    assert "lacks objects" in answer or "refused" in answer


def test_a_shallow_line_does_not_excuse_other_missing_objects(
    service: GitService, repository: Path
) -> None:
    orphan = commit(name_of("tree", TREE), parents=["d" * 40])
    new = name_of("commit", orphan)
    objects = pack(entry("commit", orphan))

    refused(service, repository, line(f"shallow {new}") + with_pack(new, objects))


@pytest.mark.parametrize("kind", ["blob", "tree"])
def test_a_branch_that_is_no_commit_is_refused(
    service: GitService, repository: Path, kind: str
) -> None:
    objects = pack(entry("blob", BLOB), entry("tree", TREE))
    new = {"blob": BLOB_ID, "tree": name_of("tree", TREE)}[kind]

    answer = refused(service, repository, with_pack(new, objects))

    assert f"a branch is a commit, this is a {kind}" in answer


def test_a_pack_over_the_limit_is_refused(service: GitService, repository: Path) -> None:
    noise = b"".join(hashlib.sha256(bytes([a, b])).digest() for a in range(256) for b in range(256))

    answer = refused(service, repository, with_pack(NEW, pack(entry("blob", noise))))

    assert "pack exceeds maximum allowed size" in answer


def test_one_small_pack_that_grows_to_gigabytes_is_refused(
    service: GitService, repository: Path
) -> None:
    base = bytes(2**20)
    first = entry("blob", base)
    bomb = pack(first, entry(OFS_DELTA, copies(2**20, 4095), before=offset(len(first))))
    assert len(bomb) < 30_000

    assert "emory" in refused(service, repository, with_pack(NEW, bomb))


def test_many_deltas_of_a_gigabyte_are_refused(service: GitService, repository: Path) -> None:
    entries = [entry("blob", bytes(2**20))]
    for _ in range(8):
        distance = sum(len(data) for data in entries)
        entries.append(entry(OFS_DELTA, copies(2**20, 1024), before=offset(distance)))

    assert "emory" in refused(service, repository, with_pack(NEW, pack(*entries)))


def test_a_declared_size_beyond_memory_is_refused(service: GitService, repository: Path) -> None:
    data = pack(entry("tree", b"x", size=2**62))

    refused(service, repository, with_pack(NEW, data))


def test_a_long_chain_of_deltas_is_no_trouble(service: GitService, repository: Path) -> None:
    entries = [entry("blob", BLOB), entry("tree", TREE), entry("commit", COMMIT)]
    grown, last = entry("blob", b"x"), 1
    entries.append(grown)
    for _ in range(2000):
        insert = struct.pack("B", 1) + b"y"
        head = bytes([last & 0x7F | 0x80, last >> 7]) if last > 127 else bytes([last])
        size = last + 1
        tail = bytes([size & 0x7F | 0x80, size >> 7]) if size > 127 else bytes([size])
        delta = head + tail + b"\xb0" + struct.pack("<H", last) + insert
        entries.append(entry(OFS_DELTA, delta, before=offset(len(entries[-1]))))
        last = size

    status, answer = say(service, with_pack(NEW, pack(*entries)))

    assert status == 0, answer


def test_a_full_disk_is_not_told_as_a_bad_pack_regression() -> None:
    assert isinstance(refusal("cannot store pack file: No space left on device"), BackendDown)
    assert isinstance(refusal("pack exceeds maximum allowed size"), PackRefused)
