"""What is mounted where, from the kernel's own lines."""

from pathlib import Path

from pushdeploy.disks import mounts
from pushdeploy.disks.mounts import Mounted, parse

LINES = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
59 27 7:0 /my\040disk /srv/two\040words rw shared:1 master:2 - ext4 /dev/loop0 rw
"""


def test_lines_of_the_kernel_are_read() -> None:
    assert parse(LINES) == [
        Mounted("0:21", "/", "/proc", "proc", "proc"),
        Mounted("7:0", "/my disk", "/srv/two words", "ext4", "/dev/loop0"),
    ]


def test_proc_is_mounted_and_contains_what_is_below() -> None:
    proc = mounts.mounted_at(Path("/proc"))
    assert proc is not None
    assert proc.kind == "proc"
    assert mounts.containing(Path("/proc/self")) == proc
    assert "/proc" in mounts.below(Path("/proc"))


def test_plain_directory_is_mounted_nowhere(tmp_path: Path) -> None:
    assert mounts.mounted_at(tmp_path) is None
    assert mounts.below(tmp_path) == []
    assert not mounts.is_held_elsewhere(tmp_path)
