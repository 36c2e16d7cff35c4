"""Where a disk may be mounted, and where it would break the container."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.disk import Attachment
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
