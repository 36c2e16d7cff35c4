"""Brings a tree that was copied from a disk a moment ago up to date with the disk, in its place.

For the time in which requests wait: a file that has not changed costs one look at its inode, and
nothing is written for it.
"""

import os
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from pushdeploy.disks.durable import FEW
from pushdeploy.disks.files import (
    CopyBytes,
    directory,
    dress,
    look,
    make_directory,
    names_in,
    remove,
)
from pushdeploy.disks.index import Identity, Index
from pushdeploy.disks.progress import CopyProgress
from pushdeploy.disks.snapshot_walk import SnapshotWalk, WalkPosition


def catch_up(
    disk: Path, place: Path, copy_bytes: CopyBytes, progress: CopyProgress
) -> tuple[Index, bool]:
    """Bring ``place`` and its index, which belong to no other snapshot yet, up to date with
    ``disk``.

    With whether it is on its device; where too much has changed for that, the caller flushes it.
    Its files may be other snapshots' too: they are replaced, and never written to.
    """
    with ExitStack() as opened:
        source = opened.enter_context(directory(disk))
        target = opened.enter_context(directory(place))
        walk = _CatchUpWalk(copy_bytes, Index.read(place).files, progress, target)
        walk.take(WalkPosition(source, target, None, "", set(names_in(target))))
    index = Index(walk.files, progress.size_bytes)
    index.write(place)
    return index, walk.changes <= FEW


class _CatchUpWalk(SnapshotWalk):
    def __init__(
        self,
        copy_bytes: CopyBytes,
        known: Mapping[str, Identity],
        progress: CopyProgress,
        root: int,
    ) -> None:
        super().__init__(copy_bytes, known, progress, root)
        self.changes = 0
        self._changed: set[int] = set()
        """Open directories of the tree that have got or lost a name."""

    def _keep(self, here: WalkPosition, name: str) -> bool:
        """It is there already."""
        if name not in here.left:
            return False
        here.left.discard(name)
        return True

    def _same_link(self, here: WalkPosition, name: str, status: os.stat_result) -> bool:
        there = look(name, here.target) if name in here.left else None
        if there is None or not (stat.S_ISLNK(status.st_mode) and stat.S_ISLNK(there.st_mode)):
            return False
        if _facts(status) != _facts(there) or os.readlink(name, dir_fd=here.source) != os.readlink(
            name, dir_fd=here.target
        ):
            return False
        here.left.discard(name)
        return True

    def _make_way(self, here: WalkPosition, name: str) -> None:
        self._changed.add(here.target)
        here.left.discard(name)
        status = look(name, here.target)
        if status is not None:
            remove(name, here.target, status)

    def _made(self, target: int) -> None:
        """Of a directory too."""
        self.changes += 1
        if self.changes <= FEW:
            os.fsync(target)

    def _target_directory(self, here: WalkPosition, name: str, opened: ExitStack) -> int:
        there = look(name, here.target) if name in here.left else None
        if there is not None and stat.S_ISDIR(there.st_mode):
            here.left.discard(name)
            return opened.enter_context(directory(name, here.target))
        self._make_way(here, name)
        return make_directory(name, here.target, opened)

    def _finish(self, here: WalkPosition, status: os.stat_result) -> None:
        for name in sorted(here.left):  # the disk has them no more
            self._make_way(here, name)
        dress(here.source, here.target, status)
        if here.target in self._changed:
            self._changed.discard(here.target)
            self._made(here.target)


def _facts(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_uid, status.st_gid, status.st_mtime_ns
