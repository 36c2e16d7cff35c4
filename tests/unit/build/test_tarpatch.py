"""The tar patcher against archives of git and of tarfile, friendly and hostile."""

import io
import tarfile
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.build.tarpatch import (
    END,
    Notice,
    TarPatch,
    first_file,
    members,
    tar_of,
    unnoticed,
)
from pushdeploy.domain.chunks import ChunkReader, Readable
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import MakeClone


def patched(source: Readable, patch: TarPatch, seen: Notice = unnoticed) -> Iterator[bytes]:
    yield from members(source, patch, seen)
    yield END


PATCH = TarPatch(1000, 1001, 0o2775, 0o664, 0o775, prefix="app/")


def archive(*members: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    buffer.seek(0)
    return buffer


def member(name: str, kind: bytes = tarfile.REGTYPE, **facts: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in facts.items():
        setattr(info, key, value)
    return info


def through(source: io.BytesIO, patch: TarPatch = PATCH) -> Sequence[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(patched(source, patch)))) as tar:
        return tar.getmembers()


def test_files_get_owner_group_prefix_and_modes() -> None:
    source = archive(
        member("bin", tarfile.DIRTYPE, mode=0o755),
        member("bin/run", size=3, mode=0o4755, uname="root", mtime=1_700_000_000),
        member("readme", size=0, mode=0o600),
    )

    folder, run, readme = through(source)

    assert [m.name for m in (folder, run, readme)] == ["app/bin", "app/bin/run", "app/readme"]
    assert {(m.uid, m.gid, m.uname) for m in (folder, run, readme)} == {(1000, 1001, "")}
    assert (folder.mode, run.mode, readme.mode) == (0o2775, 0o775, 0o664)
    assert run.mtime == 1_700_000_000


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_links_and_contents_survive(form: int) -> None:
    long = "d" * 120 + "/" + "f" * 150
    source = archive(
        member(long, size=5),
        member("soft", tarfile.SYMTYPE, linkname="../elsewhere/" + "t" * 200),
        member("hard", tarfile.LNKTYPE, linkname=long),
        form=form,
    )

    data = b"".join(patched(source, PATCH))

    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        file, soft, hard = tar.getmembers()
        assert file.name == "app/" + long
        assert soft.linkname == "../elsewhere/" + "t" * 200
        assert hard.linkname == "app/" + long
        content = tar.extractfile(file)
        assert content is not None
        assert content.read() == b"xxxxx"


def test_attributes_beyond_the_mode_do_not_survive() -> None:
    facts = {"SCHILY.xattr.security.capability": "all"}

    (only,) = through(archive(member("ping", size=1, pax_headers=facts)))

    assert only.pax_headers == {}


@pytest.mark.parametrize(
    "hostile",
    [
        [member("/etc/passwd")],
        [member("../../etc/passwd")],
        [member("a/../../b")],
        [member("hard", tarfile.LNKTYPE, linkname="../../etc/shadow")],
        [member("hard", tarfile.LNKTYPE, linkname="/etc/shadow")],
        [member("out", tarfile.SYMTYPE, linkname="/etc"), member("out/passwd")],
        [member("pipe", tarfile.FIFOTYPE)],
        [member("disk", tarfile.BLKTYPE)],
        [member("tty", tarfile.CHRTYPE)],
    ],
)
def test_paths_that_leave_the_app_are_refused(hostile: list[tarfile.TarInfo]) -> None:
    with pytest.raises(BuildFailed):
        through(archive(*hostile))


def test_an_archive_that_breaks_off_is_refused() -> None:
    whole = archive(member("big", size=100_000)).getvalue()

    with pytest.raises(BuildFailed):
        through(io.BytesIO(whole[:50_000]))


def test_what_git_archives_arrives_whole(clone: MakeClone) -> None:
    made = clone()
    made.path.joinpath("übung").mkdir()
    made.path.joinpath("übung", "run.sh").write_text("#!/bin/sh\n")
    made.path.joinpath("übung", "run.sh").chmod(0o755)
    made.path.joinpath("link").symlink_to("übung/run.sh")
    source = made.commit({"n" * 200: "long\n", "crlf": "a\r\n"})

    with source.reader.archive() as tar:
        data = b"".join(patched(tar, PATCH))

    with tarfile.open(fileobj=io.BytesIO(data)) as tar_file:
        found = {m.name: m for m in tar_file.getmembers()}
    assert found["app/übung/run.sh"].mode == 0o775
    assert found["app/link"].linkname == "übung/run.sh"
    assert found["app/" + "n" * 200].size == 5
    assert "app/.git" not in found


def test_names_are_told_as_they_pass() -> None:
    seen: list[str] = []

    list(patched(archive(member("one"), member("two")), PATCH, seen.append))

    assert seen == ["one", "two"]


def test_small_archives_carry_their_directories() -> None:
    data = tar_of([("a/b/c.txt", b"hello"), ("a/d.txt", b"")], PATCH)

    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == ["app/a", "app/a/b", "app/a/b/c.txt", "app/a/d.txt"]


def test_the_first_file_is_read_and_no_more_than_asked_for() -> None:
    data = io.BytesIO(tar_of([("result", b"/app/static")], TarPatch(0, 0, 0, 0, 0)))

    assert first_file(data, 4) == b"/app"


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
def test_chunks_read_as_a_file_are_the_same_bytes(chunks: list[bytes], size: int) -> None:
    reader = ChunkReader(chunks)

    read = b"".join(iter(lambda: reader.read(size), b""))

    assert read == b"".join(chunks)


def test_members_of_several_archives_are_one_archive() -> None:
    archives = [archive(member("one", size=3)), archive(member("two/three", size=700))]
    joined = [part for each in archives for part in members(each, PATCH)]

    with tarfile.open(fileobj=io.BytesIO(b"".join([*joined, END]))) as tar:
        assert [(each.name, each.size) for each in tar] == [("app/one", 3), ("app/two/three", 700)]
