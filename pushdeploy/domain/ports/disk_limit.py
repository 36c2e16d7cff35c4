"""The port of what keeps a disk from growing past a size."""

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
        """Tell whether disks under ``root`` may become of this kind."""

    def holds(self, path: Path) -> bool:
        """Tell whether the disk is of this kind."""

    def ensure(self, path: Path) -> bool:
        """Make a disk that it holds usable, as after a boot: whether it had not been."""

    def limit_of(self, path: Path) -> int | None:
        """The bytes of a disk that it holds."""

    def usage(self, path: Path) -> Usage: ...
    def limit(self, path: Path, size_bytes: int) -> None:
        """Limit a disk that it holds, or a plain directory, whose data and owner stay.

        ``UserError`` with nothing changed where it cannot shrink, or is to be copied while in use.
        """

    def lift(self, path: Path) -> None:
        """The data stays, without a limit. ``UserError`` like ``limit``."""

    def destroy(self, path: Path) -> None: ...
    def trouble(self, path: Path) -> str:
        """Tell the fault of a disk that it holds, to follow its name; empty when there is none."""

    def growth_bytes(self, path: Path) -> int:
        """Return how much it may still take from the file system that it lies on."""
