"""Walks a live disk into a snapshot, and links files that have not changed to the former one's."""

import os
import stat
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from pushdeploy.disks.databases import JOURNAL, SHM, WAL, held_still, is_database
from pushdeploy.disks.files import (
    GONE,
    CopyBytes,
    check_depth,
    copy_special,
    directory,
    dress,
    link_within,
    look,
    make_directory,
    names_in,
    new_file,
    plain_file,
)
from pushdeploy.disks.index import Identity, Index
from pushdeploy.disks.progress import CopyProgress

_HEAD_BYTES = 16


class WalkPosition(NamedTuple):
    """The walk is at the same directory of the disk, the new snapshot and, where it is, the former
    one.

    ``left`` are the names that the new one has had from the start, and that are not dealt with yet.
    """

    source: int
    target: int
    former: int | None
    path: str
    left: set[str]

    def below(self, name: str) -> str:
        return f"{self.path}/{name}" if self.path else name


def take_tree(
    disk: Path,
    place: Path,
    former: Path | None,
    copy_bytes: CopyBytes,
    progress: CopyProgress,
    flushed_ns: int = 0,
) -> Index:
    """Copy ``disk`` to the new directory ``place``. What vanishes meanwhile is left out.

    ``flushed_ns`` is when a flush of the disk had begun that has ended by now.
    """
    place.mkdir(mode=0o700)
    known = Index.read(former).files if former else {}
    with ExitStack() as opened:
        source = opened.enter_context(directory(disk))
        target = opened.enter_context(directory(place))
        before = opened.enter_context(directory(former)) if former else None
        walk = SnapshotWalk(copy_bytes, known, progress, target, flushed_ns)
        walk.take(WalkPosition(source, target, before, "", set()))
    index = Index(walk.files, progress.size_bytes)
    index.write(place)
    return index


class SnapshotWalk:
    """A walk makes a new tree. The methods at the end say how it is made."""

    def __init__(
        self,
        copy_bytes: CopyBytes,
        known: Mapping[str, Identity],
        progress: CopyProgress,
        root: int,
        flushed_ns: int = 0,
    ) -> None:
        self.files: dict[str, Identity] = {}
        self._flushed_ns = flushed_ns
        self._copy_bytes = copy_bytes
        self._known = known
        self._progress = progress
        self._root = root
        self._device = 0
        self._names: dict[int, str] = {}
        """Where the first of several names of an inode has been copied to, below the root."""

    def take(self, top: WalkPosition) -> None:
        status = os.fstat(top.source)
        self._device = status.st_dev
        self._directory(top, status, 0)

    def _directory(self, here: WalkPosition, status: os.stat_result, depth: int) -> None:
        check_depth(depth, here.path)
        names = sorted(names_in(here.source))
        present, done = set(names), set[str]()
        for name in names:
            if name not in done:
                with suppress(*GONE):
                    done.update(self._entry(here, name, present, depth))
        self._finish(here, status)

    def _entry(self, here: WalkPosition, name: str, present: set[str], depth: int) -> list[str]:
        """The names beside it that are dealt with by this one."""
        status = os.stat(name, dir_fd=here.source, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            return self._file(here, name, present, status)
        if stat.S_ISDIR(status.st_mode):
            self._subdirectory(here, name, depth)
        elif stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode):
            self._progress.note(f"{here.below(name)} is a device: left out")
        elif not self._same_link(here, name, status):
            self._make_way(here, name)
            copy_special(name, here.source, here.target, status)
        return []

    def _subdirectory(self, here: WalkPosition, name: str, depth: int) -> None:
        with ExitStack() as opened:
            source = opened.enter_context(directory(name, here.source))
            status = os.fstat(source)
            if status.st_dev != self._device:
                self._progress.note(f"{here.below(name)} is another file system: left out")
                return
            target = self._target_directory(here, name, opened)
            former = _former_directory(name, here.former, opened)
            left = set(names_in(target))
            below = WalkPosition(source, target, former, here.below(name), left)
            self._directory(below, status, depth + 1)

    def _file(
        self, here: WalkPosition, name: str, present: set[str], status: os.stat_result
    ) -> list[str]:
        if self._stayed(here, name, present, status):
            return []
        if status.st_nlink > 1 and self._link_to_first(here, name, status):
            return []
        with plain_file(name, here.source) as source:
            if not is_database(os.pread(source, _HEAD_BYTES, 0), name, present):
                self._content(here, name, source)
                return []
            with held_still(source, name, here.source, self._progress.note) as beside:
                self._content(here, name, source)
                for each in beside:
                    with suppress(*GONE), plain_file(each, here.source) as other:
                        self._content(here, each, other)
            return _files_of(name, here.source)

    def _stayed(
        self, here: WalkPosition, name: str, present: set[str], status: os.stat_result
    ) -> bool:
        """Tell whether it is not even opened: nobody has written to it since the former snapshot.

        Of a database that holds only where nothing stands beside it that belongs to it.
        """
        if any(name + end in present for end in (WAL, SHM, JOURNAL)):
            return False
        return self._shared(here, name, status)

    def _shared(self, here: WalkPosition, name: str, status: os.stat_result) -> bool:
        """Tell whether the former snapshot's file is certain to be the same, and is in this one
        now.
        """
        path = here.below(name)
        known = self._known.get(path)
        if known is None or not known.vouches_for(status) or not self._keep(here, name):
            return False
        self.files[path] = known
        self._progress.kept(status.st_size)
        if status.st_nlink > 1:
            self._names.setdefault(status.st_ino, path)
        return True

    def _content(self, here: WalkPosition, name: str, source: int) -> None:
        """The status is that of before the copy: whoever writes meanwhile changes it."""
        path, now_ns = here.below(name), time.time_ns()
        status = os.fstat(source)
        if self._shared(here, name, status):
            return
        self._make_way(here, name)
        with new_file(name, here.target) as target:
            self._copy_bytes(source, target, status.st_size)
            dress(source, target, status)
            self._made(target)
        self.files[path] = Identity.of(status, now_ns, self._flushed_ns)
        self._progress.copied(status.st_size)
        if status.st_nlink > 1:
            self._names.setdefault(status.st_ino, path)

    def _link_to_first(self, here: WalkPosition, name: str, status: os.stat_result) -> bool:
        """Tell whether another name of the inode has been copied, and this one now leads there."""
        first = self._names.get(status.st_ino)
        if first is None:
            return False
        self._make_way(here, name)
        if not link_within(self._root, first, name, here.target):
            return False
        self.files[here.below(name)] = self.files[first]
        self._progress.kept(0)
        return True

    # ------------------------------------------------------------- where a new tree is made

    def _keep(self, here: WalkPosition, name: str) -> bool:
        """Let the tree have the file of the former snapshot, if that can be."""
        return _link_former(here, name)

    def _same_link(self, here: WalkPosition, name: str, status: os.stat_result) -> bool:
        """Tell whether a symbolic link is there already."""
        del here, name, status
        return False

    def _make_way(self, here: WalkPosition, name: str) -> None:
        """Nothing of that name is in the way of one that is to be made."""

    def _made(self, target: int) -> None:
        """An open file has its content."""

    def _target_directory(self, here: WalkPosition, name: str, opened: ExitStack) -> int:
        return make_directory(name, here.target, opened)

    def _finish(self, here: WalkPosition, status: os.stat_result) -> None:
        dress(here.source, here.target, status)


def _files_of(database: str, within: int) -> list[str]:
    """What SQLite has beside it. A directory of such a name is none of them."""
    names = [database + end for end in (WAL, SHM, JOURNAL)]
    found = {name: look(name, within) for name in names}
    return [name for name, status in found.items() if status and stat.S_ISREG(status.st_mode)]


def _former_directory(name: str, within: int | None, opened: ExitStack) -> int | None:
    if within is None:
        return None
    try:
        return opened.enter_context(directory(name, within))
    except OSError:
        return None


def _link_former(here: WalkPosition, name: str) -> bool:
    if here.former is None:
        return False
    try:
        os.link(name, name, src_dir_fd=here.former, dst_dir_fd=here.target, follow_symlinks=False)
    except OSError:  # it has been removed, or has all the links that a file may have
        return False
    return True
