"""What lies in a folder of an image is written elsewhere; what somebody has made up is not."""

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.errors import BuildFailed
from pushdeploy.publish.manifest import mtime_of
from pushdeploy.publish.taking_out import TakenOut, shown, take_out

Member = tuple[str, bytes | tarfile.TarInfo]


def file(name: str, data: bytes = b"x", mode: int = 0o644) -> Member:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    entry.pax_headers = {"comment": data.decode("latin-1")} if data == b"pax" else {}
    return name, data


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Member:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return name, entry


def special(name: str, kind: bytes) -> Member:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, 0o666
    return name, entry


def archive(*members: Member, top: bytes = tarfile.DIRTYPE) -> io.BytesIO:
    """As Docker gives a folder ``/app/public``: it stands in front itself."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as made:
        head = tarfile.TarInfo("public")
        head.type = top
        made.addfile(head)
        for name, what in members:
            if isinstance(what, tarfile.TarInfo):
                made.addfile(what)
            else:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(what), 0o6777
                made.addfile(entry, io.BytesIO(what))
    content.seek(0)
    return content


def taken(target: Path, *members: Member) -> TakenOut:
    return take_out(archive(*members), "/app/public", target)


def test_files_are_there_with_one_mode_and_a_time_of_their_content(tmp_path: Path) -> None:
    files = tmp_path / "files"
    found = taken(files, file("public/index.html", b"hello"), file("public/a/b.css", b"b {}"))
    assert (files / "index.html").read_bytes() == b"hello"
    assert (files / "a/b.css").read_bytes() == b"b {}"
    assert set(found.manifest.files) == {"index.html", "a/b.css"}
    for path, entry in found.manifest.files.items():
        status = (files / path).stat()
        assert oct(status.st_mode) == "0o100644"
        assert status.st_mtime == mtime_of(entry.digest)
    assert oct((files / "a").stat().st_mode) == "0o40755"


def test_equal_content_has_one_digest_whatever_the_archive_says(tmp_path: Path) -> None:
    one = taken(tmp_path / "1", file("public/a", b"1"), file("public/b", b"2"))
    two = taken(tmp_path / "2", file("public/b", b"2"), file("public/a", b"1"))
    other = taken(tmp_path / "3", file("public/a", b"2"), file("public/b", b"1"))
    assert one.manifest.digest == two.manifest.digest != other.manifest.digest


@pytest.mark.parametrize(
    "name",
    ["public/../evil", "/etc/evil", "public/a/../../../evil", "../evil", "public/..", "x/../y/z"],
)
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BuildFailed, match="leads outside"):
        taken(tmp_path / "files", file(name))
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    "target",
    [
        *("/etc/passwd", "../secret", "../../etc/passwd", "a/../../secret", "/app/secret"),
        *("/app/publicity", "nowhere", ".", "", "/app/public", "loop", "/app/public/../secret"),
    ],
)
def test_a_link_that_leads_outside_or_nowhere_is_left_out(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_text("secret")
    files = tmp_path / "files"
    found = taken(files, file("public/index.html"), link("public/loop", target))
    assert sorted(path.name for path in files.iterdir()) == ["index.html"]
    assert len(found.left_out) == 1
    assert "loop" in found.left_out[0]


def test_links_within_the_folder_lead_straight_to_what_they_mean(tmp_path: Path) -> None:
    files = tmp_path / "files"
    found = taken(
        files,
        link("public/latest", "v2"),
        link("public/current", "/app/public/latest"),
        link("public/v1/new.css", "../latest/a.css"),
        file("public/v2/a.css", b"2"),
        file("public/v1/a.css", b"1"),
    )
    assert found.left_out == []
    assert (files / "current").readlink() == Path("v2")
    assert (files / "v1/new.css").readlink() == Path("../v2/a.css")
    assert (files / "current/a.css").read_bytes() == b"2"


def test_a_link_by_way_of_one_that_leads_outside_is_left_out(tmp_path: Path) -> None:
    files = tmp_path / "files"
    found = taken(
        files,
        file("public/index.html"),
        link("public/out", "../.."),
        link("public/in", "out/app/public/index.html"),
        link("public/etc", "out/etc/passwd"),
    )
    assert sorted(path.name for path in files.iterdir()) == ["index.html"]
    assert len(found.left_out) == 3


def test_a_link_to_a_directory_around_it_is_left_out(tmp_path: Path) -> None:
    found = taken(tmp_path / "files", file("public/a/b/c"), link("public/a/b/up", "../../a"))
    assert found.left_out == ["'a/b/up' is a link to a directory around it"]


def test_a_file_beneath_a_link_goes_nowhere_else(tmp_path: Path) -> None:
    """No archive of Docker has one; somebody's own might."""
    outside = tmp_path / "outside"
    outside.mkdir()
    taken(tmp_path / "1", link("public/a", str(outside)), file("public/a/evil"))
    assert list(outside.iterdir()) == []
    with pytest.raises(BuildFailed, match="twice"):
        taken(tmp_path / "2", link("public/a", "b"), file("public/b/x"), file("public/a/evil"))


def test_devices_and_pipes_are_left_out(tmp_path: Path) -> None:
    kinds = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    members = [special(f"public/{number}", kind) for number, kind in enumerate(kinds)]
    found = taken(tmp_path / "files", file("public/index.html"), *members)
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["index.html"]
    assert found.left_out == ["'0' is no file", "'1' is no file", "'2' is no file"]


def test_a_second_name_of_a_file_is_that_file_and_of_another_place_is_none(tmp_path: Path) -> None:
    files = tmp_path / "files"
    found = taken(
        files,
        file("public/a", b"same"),
        link("public/b", "public/a", tarfile.LNKTYPE),
        link("public/c", "public/not-there", tarfile.LNKTYPE),
    )
    assert (files / "b").read_bytes() == b"same"
    assert not (files / "c").exists()
    assert found.left_out == ["'c' is another name of a file outside of the folder"]


@pytest.mark.parametrize("name", ["line\nbreak", "quo\"te';{}", "$uri", "ünï", "\udcff\udc80", " "])
def test_names_of_any_bytes_stay_as_they_are(tmp_path: Path, name: str) -> None:
    files = tmp_path / "files"
    found = taken(files, file(f"public/{name}"))
    assert [os.fsencode(path.name) for path in files.iterdir()] == [os.fsencode(name)]
    assert set(found.manifest.files) == {name}


def test_a_file_in_place_of_the_folder_and_a_link_are_named(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="no folder"):
        take_out(archive(top=tarfile.REGTYPE), "/app/public", tmp_path / "1")
    with pytest.raises(BuildFailed, match="symbolic link"):
        take_out(archive(top=tarfile.SYMTYPE), "/app/public", tmp_path / "2")


@pytest.mark.parametrize("cut", [100, 512, 700, 1100, 1600])
def test_an_archive_that_ends_early_is_an_error_or_whole(tmp_path: Path, cut: int) -> None:
    data = archive(file("public/index.html", b"hello" * 100)).getvalue()
    files = tmp_path / "files"
    try:
        take_out(io.BytesIO(data[:cut]), "/app/public", files)
    except BuildFailed:
        return
    content = b"".join(path.read_bytes() for path in files.iterdir())
    assert content in {b"", b"hello" * 100}


def test_a_person_is_told_of_a_few_and_of_how_many_more() -> None:
    assert list(shown([str(number) for number in range(7)])) == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "and 2 more",
    ]


NAMES = st.text(st.sampled_from("ab./"), min_size=1, max_size=8)
MEMBERS: list[Callable[[str, str], Member]] = [
    lambda name, _target: file(f"public/{name}"),
    lambda name, target: link(f"public/{name}", target),
    lambda name, target: link(f"public/{name}", f"public/{target}", tarfile.LNKTYPE),
]


@given(st.lists(st.tuples(st.sampled_from(range(3)), NAMES, NAMES), max_size=8))
def test_whatever_an_archive_holds_nothing_of_it_leads_outside(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[int, str, str]]
) -> None:
    ground = tmp_path_factory.mktemp("ground")
    files = ground / "files"
    members = [MEMBERS[kind](name, target) for kind, name, target in wanted]
    try:
        found = taken(files, *members)
    except BuildFailed:
        return
    assert [path.name for path in ground.iterdir()] == ["files"]
    for path in [*found.manifest.files, *found.manifest.links]:
        assert (files / path).resolve().is_relative_to(files)
        assert (files / path).exists()
