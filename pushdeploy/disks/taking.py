"""Walks a live disk into a snapshot: unchanged files by a hard link to the former one's."""

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
    Fill,
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
from pushdeploy.disks.progress import Progress

_HEAD_BYTES = 16


class _Here(NamedTuple):
    """The same directory of the disk, of the new snapshot and, where it has one, of the former."""

    source: int
    target: int
    former: int | None
    path: str

    def below(self, name: str) -> str:
        return f"{self.path}/{name}" if self.path else name


def take_tree(
    disk: Path, place: Path, former: Path | None, fill: Fill, progress: Progress
) -> Index:
    """Copy ``disk`` to the new directory ``place``. What vanishes meanwhile is left out."""
    place.mkdir(mode=0o700)
    known = Index.read(former).files if former else {}
    with ExitStack() as opened:
        source = opened.enter_context(directory(disk))
        target = opened.enter_context(directory(place))
        before = opened.enter_context(directory(former)) if former else None
        taking = _Taking(fill, known, progress, target)
        taking.take(_Here(source, target, before, ""))
    index = Index(taking.files, progress.size_bytes)
    index.write(place)
    return index


class _Taking:
    def __init__(
        self,
        fill: Fill,
        known: Mapping[str, Identity],
        progress: Progress,
        root: int,
    ) -> None:
        self.files: dict[str, Identity] = {}
        self._fill = fill
        self._known = known
        self._progress = progress
        self._root = root
        self._device = 0
        self._names: dict[int, str] = {}
        """Where the first of several names of an inode has been copied to, below the root."""

    def take(self, top: _Here) -> None:
        status = os.fstat(top.source)
        self._device = status.st_dev
        self._directory(top, status, 0)

    def _directory(self, here: _Here, status: os.stat_result, depth: int) -> None:
        check_depth(depth, here.path)
        names = sorted(names_in(here.source))
        present, done = set(names), set[str]()
        for name in names:
            if name not in done:
                with suppress(*GONE):
                    done.update(self._entry(here, name, present, depth))
        dress(here.source, here.target, status)

    def _entry(self, here: _Here, name: str, present: set[str], depth: int) -> list[str]:
        """The names beside it that are dealt with by this one."""
        status = os.stat(name, dir_fd=here.source, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            return self._file(here, name, present, status)
        if stat.S_ISDIR(status.st_mode):
            self._subdirectory(here, name, depth)
        elif stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode):
            self._progress.note(f"{here.below(name)} is a device: left out")
        else:
            copy_special(name, here.source, here.target, status)
        return []

    def _subdirectory(self, here: _Here, name: str, depth: int) -> None:
        with ExitStack() as opened:
            source = opened.enter_context(directory(name, here.source))
            status = os.fstat(source)
            if status.st_dev != self._device:
                self._progress.note(f"{here.below(name)} is another file system: left out")
                return
            target = make_directory(name, here.target, opened)
            former = _former_directory(name, here.former, opened)
            self._directory(_Here(source, target, former, here.below(name)), status, depth + 1)

    def _file(self, here: _Here, name: str, present: set[str], status: os.stat_result) -> list[str]:
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

    def _content(self, here: _Here, name: str, source: int) -> None:
        """The status is that of before the copy: whoever writes meanwhile changes it."""
        path, now_ns = here.below(name), time.time_ns()
        status = os.fstat(source)
        known = self._known.get(path)
        if known and known.vouches_for(status) and _link_former(here, name):
            self.files[path] = known
            self._progress.kept(status.st_size)
        else:
            with new_file(name, here.target) as target:
                self._fill(source, target, status.st_size)
                dress(source, target, status)
            self.files[path] = Identity.of(status, now_ns)
            self._progress.copied(status.st_size)
        if status.st_nlink > 1:
            self._names.setdefault(status.st_ino, path)

    def _link_to_first(self, here: _Here, name: str, status: os.stat_result) -> bool:
        """Whether another name of the inode has been copied, and this one now leads there."""
        first = self._names.get(status.st_ino)
        if first is None or not link_within(self._root, first, name, here.target):
            return False
        self.files[here.below(name)] = self.files[first]
        self._progress.kept(0)
        return True


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


def _link_former(here: _Here, name: str) -> bool:
    if here.former is None:
        return False
    try:
        os.link(name, name, src_dir_fd=here.former, dst_dir_fd=here.target, follow_symlinks=False)
    except OSError:  # it has been removed, or has all the links that a file may have
        return False
    return True
