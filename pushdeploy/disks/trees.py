"""Snapshots as trees of files: all kinds share that differ in how a file is filled."""

from collections.abc import Callable
from pathlib import Path

from pushdeploy.disks.catching_up import catch_up
from pushdeploy.disks.files import Fill
from pushdeploy.disks.giving_back import clone_tree, restore_tree
from pushdeploy.disks.index import Index
from pushdeploy.disks.progress import Progress
from pushdeploy.disks.survey import estimate
from pushdeploy.disks.taking import take_tree
from pushdeploy.domain.estimate import Estimate


class TreeSnapshots:
    """A ``SnapshotKind``. One that ``shares_blocks`` with the disk needs no room for them."""

    def __init__(
        self, *, order: int, fill: Fill, can: Callable[[Path, Path], bool], shares_blocks: bool
    ) -> None:
        self.order = order
        self._fill = fill
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
        progress = Progress(place.name, line)
        index = take_tree(disk, place, former, self._fill, progress, flushed_ns)
        progress.summary()
        return index.size_bytes

    def catch_up(self, disk: Path, place: Path, line: Callable[[str], None]) -> tuple[int, bool]:
        progress = Progress(place.name, line)
        index, durable = catch_up(disk, place, self._fill, progress)
        progress.summary()
        return index.size_bytes, durable

    def restore(self, place: Path, disk: Path, line: Callable[[str], None]) -> None:
        progress = Progress(place.name, line)
        restore_tree(place, disk, self._fill, progress)
        progress.summary()

    def clone(self, place: Path, target: Path, uid: int) -> None:
        clone_tree(place, target, uid, self._fill, Progress(place.name, lambda _text: None))
