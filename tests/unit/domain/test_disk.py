"""Where a disk may be mounted, and where it would break the container."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.disk import Attachment, Usage, crowding
from pushdeploy.domain.errors import UserError

SYSTEM = ("/bin", "/dev", "/etc", "/lib", "/proc", "/sbin", "/sys", "/usr")


@pytest.mark.parametrize(
    ("given_path", "mounted"),
    [
        ("/data", "/data"),
        ("/data/", "/data"),
        ("//data", "/data"),
        ("/app/uploads", "/app/uploads"),
        ("/app/./media//files", "/app/media/files"),
        ("/var/lib/with space", "/var/lib/with space"),
        ("/data/..hidden", "/data/..hidden"),
        ("/library", "/library"),
        ("/tmp/cache", "/tmp/cache"),
        ("/opt/data", "/opt/data"),
    ],
)
def test_absolute_path_is_taken_in_its_plain_form(given_path: str, mounted: str) -> None:
    assert Attachment.parse("data", given_path).mount_path == mounted


@pytest.mark.parametrize("path", ["", "data", ".", "/data/../etc", "/a:b", "/a\nb", "/a\0b", "~/x"])
def test_what_is_no_mount_path_is_refused(path: str) -> None:
    with pytest.raises(UserError, match="is not a mount path"):
        Attachment.parse("data", path)


def test_a_mount_path_has_a_longest_form() -> None:
    assert Attachment.parse("data", "/" + "x" * 254).mount_path == "/" + "x" * 254
    with pytest.raises(UserError, match="255 bytes at the most"):
        Attachment.parse("data", "/" + "ü" * 128)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "//", "/.", "/app", "/app/", "/app/.", "/etc", "/etc/ssl", "/usr/local", "/root"),
        *("/tmp", "/opt", "/opt/venv", "/opt/venv/lib", "/var"),
    ],
)
def test_directories_that_the_container_needs_are_refused(path: str) -> None:
    with pytest.raises(UserError, match="cannot be mounted"):
        Attachment.parse("data", path)


@given(st.text(st.sampled_from("/.adetcprousn:~ \n"), max_size=20))
def test_no_spelling_reaches_a_directory_of_the_system(path: str) -> None:
    try:
        mounted = Attachment.parse("data", path).mount_path
    except UserError:
        return
    assert mounted.startswith("/")
    assert not mounted.endswith("/")
    assert "//" not in mounted
    assert ":" not in mounted
    assert not {".", ".."} & set(mounted.split("/"))
    assert mounted != "/app"
    assert not any(mounted == tree or mounted.startswith(f"{tree}/") for tree in SYSTEM)


MB = 1024**2


@pytest.mark.parametrize(
    ("usage", "wanted_bytes", "said"),
    [
        (Usage(79 * MB, 100 * MB, 21 * MB, 110 * MB, "x"), None, ""),
        (Usage(80 * MB, 100 * MB, 20 * MB, 110 * MB, "x"), None, "is filling up: 80 %"),
        (Usage(95 * MB, 100 * MB, 5 * MB, 110 * MB, "x"), None, "is nearly full: 95 %"),
        (Usage(108 * MB, 100 * MB, 0, 110 * MB, "x"), None, "is nearly full: 100 %"),
        (Usage(0, 0, 0, 0, "x"), None, ""),
        (Usage(79 * MB, None, 500 * MB, 1000 * MB), 100 * MB, ""),
        (
            Usage(80 * MB, None, 500 * MB, 1000 * MB),
            100 * MB,
            "is filling up: 80 % of its size, which nothing enforces here",
        ),
        (
            Usage(250 * MB, None, 500 * MB, 1000 * MB),
            100 * MB,
            "is nearly full: 250 % of its size, which nothing enforces here",
        ),
        (Usage(MB, None, 201 * MB, 1000 * MB), None, ""),
        (
            Usage(MB, None, 200 * MB, 1000 * MB),
            None,
            "lies on a file system that is filling up: 80 %",
        ),
        (
            Usage(MB, None, 0, 1000 * MB),
            100 * MB,
            "lies on a file system that is nearly full: 100 %",
        ),
    ],
)
def test_disk_that_runs_out_of_room_is_warned_of(
    usage: Usage, wanted_bytes: int | None, said: str
) -> None:
    assert crowding(usage, wanted_bytes) == said
