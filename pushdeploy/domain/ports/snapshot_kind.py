"""The port of a way in which a disk gets into a snapshot and back."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pushdeploy.domain.estimate import Estimate


class SnapshotKind(Protocol):
    """Takes a disk into a snapshot and back, in a process of its own.

    ``place`` is the directory with one disk's content in a snapshot, which nothing changes later;
    ``former`` is that of the same disk's previous snapshot.
    """

    order: int
    """The lowest one that can do it is used."""

    def can(self, disk: Path, place: Path) -> bool:
        """Between these two directories, as tried out; neither is changed."""

    def needed_bytes(self, disk: Path, former: Path | None) -> int:
        """Estimate how much room a snapshot would take now."""

    def estimate(self, disk: Path, former: Path | None) -> Estimate:
        """The same, and how many names are to be gone through; the disk is looked at once."""

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
        """Copy into the empty directory ``target``; files of the disk's owner become ``uid``'s."""
