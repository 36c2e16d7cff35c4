"""Every kind of snapshot is a tree of files; the kinds differ in how a file is copied."""

from collections.abc import Callable
from pathlib import Path

from pushdeploy.disks.catch_up import catch_up
from pushdeploy.disks.files import CopyBytes
from pushdeploy.disks.index import Index
from pushdeploy.disks.progress import CopyProgress
from pushdeploy.disks.restore import clone_tree, restore_tree
from pushdeploy.disks.snapshot_walk import take_tree
from pushdeploy.disks.tree_sizes import estimate
from pushdeploy.domain.estimate import Estimate


class TreeSnapshots:
    """A ``SnapshotKind`` whose snapshots are trees of files is made of one way to copy a file.

    One that ``shares_blocks`` with the disk needs no room for them.
    """

    def __init__(
        self,
        *,
        order: int,
        copy_bytes: CopyBytes,
        can: Callable[[Path, Path], bool],
        shares_blocks: bool,
    ) -> None:
        self.order = order
        self._copy_bytes = copy_bytes
        self._can = can
        self._shares_blocks = shares_blocks

    def can(self, disk: Path, place: Path) -> bool:
        return self._can(disk, place)

    def needed_bytes(self, disk: Path, former: Path | None) -> int:
        return 0 if self._shares_blocks else self.estimate(disk, former).needed_bytes

    def estimate(self, disk: Path, former: Path | None) -> Estimate:
        found = estimate(disk, Index.read(former).files if former else {})
        return found._replace(needed_bytes=0) if self._shares_blocks else found

    def take(
        self,
        disk: Path,
        place: Path,
        former: Path | None,
        line: Callable[[str], None],
        flushed_ns: int = 0,
    ) -> int:
        progress = CopyProgress(place.name, line)
        index = take_tree(disk, place, former, self._copy_bytes, progress, flushed_ns)
        progress.summary()
        return index.size_bytes

    def catch_up(self, disk: Path, place: Path, line: Callable[[str], None]) -> tuple[int, bool]:
        progress = CopyProgress(place.name, line)
        index, durable = catch_up(disk, place, self._copy_bytes, progress)
        progress.summary()
        return index.size_bytes, durable

    def restore(self, place: Path, disk: Path, line: Callable[[str], None]) -> None:
        progress = CopyProgress(place.name, line)
        restore_tree(place, disk, self._copy_bytes, progress)
        progress.summary()

    def clone(self, place: Path, target: Path, uid: int) -> None:
        clone_tree(
            place, target, uid, self._copy_bytes, CopyProgress(place.name, lambda _text: None)
        )
