"""A tree becomes a tar and a tar a tree; whatever else is sent changes nothing."""

import bz2
import gzip
import io
import lzma
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pushdeploy.disks.archives import Unpacked, pack, unpack
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BackendDown, Cancelled, NoRoom, UserError

UID = 20_321


def packed(tree: Path) -> bytes:
    written = bytearray()
    pack(tree, written.extend, Cancellation())
    return bytes(written)


def unpacked(data: bytes, target: Path) -> Unpacked:
    pieces = io.BytesIO(data)
    return unpack(lambda: pieces.read(50_000), target, UID, Cancellation())


def tar_of(*members: tarfile.TarInfo) -> bytes:
    """Each file holds as many bytes as it says."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)) if member.isreg() else None)
    return made.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, **facts: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for fact, value in facts.items():
        setattr(made, fact, value)
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "file ünder\nway").write_bytes(os.urandom(300_000))
    (tree / "empty").touch(mode=0o640)
    (tree / "link").symlink_to("/data/a")
    os.link(tree / "empty", tree / "a" / "other name")
    with (tree / "sparse").open("wb") as sparse:
        sparse.seek(64 * 1024**2)
        sparse.write(b"end")
    (tree / ("long" * 40)).mkdir()
    (tree / "a").chmod(0o555)
    return tree


def test_what_is_packed_is_unpacked_as_it_was_for_its_new_owner(tree: Path, tmp_path: Path) -> None:
    data, target = packed(tree), tmp_path / "target"

    found = unpacked(data, target)

    assert len(data) < 2_000_000, "holes are not sent"
    compared = subprocess.run(
        ["diff", "--recursive", "--no-dereference", str(tree), str(target)],
        capture_output=True,
        check=False,
    )
    assert (compared.returncode, compared.stdout) == (0, b"")
    assert found.size_bytes == 300_000 + 64 * 1024**2 + 3
    assert (target / "link").readlink() == Path("/data/a")
    assert (target / "empty").stat().st_ino == (target / "a" / "other name").stat().st_ino
    assert stat.S_IMODE((target / "a").stat().st_mode) & 0o777 == 0o555
    assert (target / "empty").stat().st_mtime == pytest.approx((tree / "empty").stat().st_mtime)
    assert (target / "sparse").stat().st_blocks < 1000
    assert stat.S_IMODE(target.stat().st_mode) == 0o2770
    if os.geteuid() == 0:
        assert {path.lstat().st_uid for path in (target, *target.rglob("*"))} == {UID}


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_tar_is_known_by_its_first_bytes(
    tree: Path, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    unpacked(compress(packed(tree)), tmp_path / "target")
    assert (tmp_path / "target" / "link").is_symlink()


HOSTILE = {
    "absolute path": [entry("/etc/cron.d/x", size=4)],
    "leads out": [entry("a/../../x", size=4)],
    "no directory": [entry("a", tarfile.SYMTYPE, linkname="/etc"), entry("a/x", size=4)],
    "through a name": [entry("a", size=1), entry("a/x", size=4)],
    "device": [entry("null", tarfile.CHRTYPE, devmajor=1, devminor=3)],
    "or what else": [entry("disk", tarfile.BLKTYPE, devmajor=8, devminor=0)],
    "cannot be made": [entry("x", tarfile.LNKTYPE, linkname="etc/passwd")],
    "leads out of": [entry("x", tarfile.LNKTYPE, linkname="../../../etc/passwd")],
    "it is a directory": [entry("x", tarfile.DIRTYPE, mode=0o755), entry("x", size=1)],
    "200 deep": [entry("a/" * 300 + "x")],
    "holds nothing": [],
}


@pytest.mark.parametrize("reason", HOSTILE)
def test_a_hostile_tar_is_refused(tmp_path: Path, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        unpacked(tar_of(*HOSTILE[reason]), tmp_path / "target")


def test_nothing_that_comes_can_run_as_somebody_else(tmp_path: Path) -> None:
    unpacked(tar_of(entry("root", size=1, mode=0o6755, uid=0, gid=0)), tmp_path / "target")
    assert stat.S_IMODE((tmp_path / "target" / "root").stat().st_mode) == 0o755


def test_what_comes_later_in_a_tar_replaces_what_came_before(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    link = entry("x", tarfile.SYMTYPE, linkname=str(tmp_path / "outside"))
    unpacked(tar_of(link, entry("x", size=7)), tmp_path / "target")
    assert (tmp_path / "target" / "x").read_bytes() == bytes(7)
    assert (tmp_path / "outside").read_text() == "mine"


def test_a_file_that_claims_to_be_larger_than_the_disk_is_refused_at_once(tmp_path: Path) -> None:
    header = entry("bomb", size=2**60).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(NoRoom, match="does not fit"):
        unpacked(header, tmp_path / "target")


def test_a_header_that_claims_to_be_larger_than_memory_is_refused(tmp_path: Path) -> None:
    zeros = gzip.compress(bytes(2**20)) * 600
    header = entry("x", tarfile.XHDTYPE, size=2**30).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(UserError, match="header that is too large"):
        unpacked(gzip.compress(header) + zeros, tmp_path / "target")


@pytest.mark.parametrize("cut", [0, 1, 512, 1024, 20_000, 300_000, "where the end would begin"])
def test_a_tar_that_is_cut_short_anywhere_is_refused(
    tree: Path, tmp_path: Path, cut: int | str
) -> None:
    data = packed(tree)
    length = len(data.rstrip(b"\0")) // 512 * 512 if isinstance(cut, str) else cut
    with pytest.raises(UserError, match=r"cut short|nothing was sent|no tar"):
        unpacked(data[:length], tmp_path / "target")


def test_a_compressed_tar_whose_last_bytes_are_missing_or_wrong_is_refused(
    tree: Path, tmp_path: Path
) -> None:
    data = gzip.compress(packed(tree))
    for name, bad in {"cut": data[:-4], "wrong": data[:-8] + b"\0\0\0\0" + data[-4:]}.items():
        with pytest.raises(UserError, match="damaged or cut short"):
            unpacked(bad, tmp_path / name)


@pytest.mark.parametrize("place", [0, 512, 2048])
def test_a_damaged_header_is_no_end(tmp_path: Path, place: int) -> None:
    data = bytearray(tar_of(*(entry(f"file{number}", size=100) for number in range(9))))
    data[place : place + 100] = b"\xff" * 100
    if place == 512:  # content, of which a tar has no sums
        unpacked(bytes(data), tmp_path / "target")
        return
    with pytest.raises(UserError, match=r"damaged|no tar"):
        unpacked(bytes(data), tmp_path / "target")


def test_zstd_is_named_where_it_is_not_understood(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="zstd"):
        unpacked(b"\x28\xb5\x2f\xfd" + bytes(1000), tmp_path / "target")


def test_a_tree_that_vanishes_while_it_is_packed_is_no_whole_tar(tmp_path: Path) -> None:
    with pytest.raises(BackendDown, match="cut short"):
        packed(tmp_path / "missing")


def test_whoever_stops_packing_gets_no_whole_tar(tree: Path) -> None:
    cancellation = Cancellation()

    def write(_data: bytes) -> None:
        cancellation.cancel("Ctrl-C")

    with pytest.raises(Cancelled):
        pack(tree, write, cancellation)


def test_a_client_that_goes_away_has_not_sent_a_whole_tar(tree: Path, tmp_path: Path) -> None:
    cancellation, pieces = Cancellation(), iter([packed(tree)])

    def read() -> bytes:
        data = next(pieces, b"")
        if not data:
            cancellation.cancel("the client went away")
        return data

    with pytest.raises(Cancelled):
        unpack(read, tmp_path / "target", UID, cancellation)
