"""The plugs of disks."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pushdeploy.domain.disk import Usage


class DiskLimit(Protocol):
    """Keeps disks of its kind from growing past a size. ``path`` is a disk's directory throughout.

    Called for one disk at a time. A kill at any moment leaves what ``ensure`` makes whole again.
    """

    name: str
    order: int
    """The lowest that suits makes new ones."""

    def suits(self, root: Path) -> bool:
        """Whether disks under ``root`` may become of this kind."""

    def holds(self, path: Path) -> bool:
        """Whether the disk is of this kind."""

    def ensure(self, path: Path) -> bool:
        """Make a disk that it holds usable, as after a boot: whether it had not been."""

    def limit_of(self, path: Path) -> int | None:
        """The bytes of a disk that it holds."""

    def usage(self, path: Path) -> Usage: ...
    def limit(self, path: Path, size_bytes: int) -> None:
        """Of a disk that it holds, or of a plain directory, whose data and owner stay.

        ``UserError`` with nothing changed where it cannot shrink, or is to be copied while in use.
        """

    def lift(self, path: Path) -> None:
        """The data stays, without a limit. ``UserError`` like ``limit``."""

    def destroy(self, path: Path) -> None: ...
    def trouble(self, path: Path) -> str:
        """What is wrong with a disk that it holds, to follow its name; empty when nothing is."""

    def growth_bytes(self, path: Path) -> int:
        """What it may still take from the file system that it lies on."""


class SnapshotKind(Protocol):
    """How a disk gets into a snapshot and back. It runs in a process of its own.

    ``place`` is the directory with one disk's content in a snapshot, which nothing changes later;
    ``former`` is that of the same disk's previous snapshot.
    """

    order: int
    """The lowest one that can do it is used."""

    def can(self, disk: Path, place: Path) -> bool:
        """Between these two directories, as tried out; neither is changed."""

    def needed_bytes(self, disk: Path, former: Path | None) -> int:
        """How much room a snapshot would take now, by an estimate."""

    def take(
        self,
        disk: Path,
        place: Path,
        former: Path | None,
        line: Callable[[str], None],
        flushed_ns: int = 0,
    ) -> int:
        """Make ``place`` while the app goes on writing: its size in bytes.

        Databases are whole in it, and the disk is to the byte as it was. ``flushed_ns`` is when a
        flush of the disk had begun that has ended.
        """

    def catch_up(self, disk: Path, place: Path, line: Callable[[str], None]) -> tuple[int, bool]:
        """Make ``place``, which was taken a moment ago and is nobody's yet, what the disk is now.

        Its size in bytes, and whether it is on its device already.
        """

    def restore(self, place: Path, disk: Path, line: Callable[[str], None]) -> None:
        """Make the disk exactly that again, in the same directory, while nobody writes.

        A second call ends what a killed one has begun.
        """

    def clone(self, place: Path, target: Path, uid: int) -> None:
        """Into the empty directory ``target``; what was the disk's owner's becomes ``uid``'s."""
