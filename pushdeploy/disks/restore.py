"""Copies a snapshot back into its disk, which becomes equal to it, or into a new directory."""

import os
import stat
from contextlib import ExitStack
from pathlib import Path

from pushdeploy.disks.files import (
    SAME_OWNERS,
    CopyBytes,
    Owners,
    copy_special,
    directory,
    dress,
    link_within,
    look,
    make_directory,
    names_in,
    new_file,
    plain_file,
    remove,
)
from pushdeploy.disks.index import Index
from pushdeploy.disks.progress import CopyProgress

_ROOT = 0


def restore_tree(place: Path, disk: Path, copy_bytes: CopyBytes, progress: CopyProgress) -> None:
    """Remove every file that may have changed first, so that a full disk has room, then copy it
    back.

    The same call does what one that was cut short has left over.
    """
    with directory(place) as source, directory(disk) as target:
        _Pruner(Index.read(place), os.fstat(target).st_dev).prune(source, target, "")
        _Filler(copy_bytes, SAME_OWNERS, progress, target).fill(source, target, "")


def clone_tree(
    place: Path, target: Path, uid: int, copy_bytes: CopyBytes, progress: CopyProgress
) -> None:
    """Copy into the empty directory ``target``; files of the disk's owner become ``uid``'s.

    For another app so is what belonged to root: its processes could not use that.
    """
    with directory(place) as source, directory(target) as opened:
        owner = os.fstat(source)
        roots = {_ROOT: uid} if uid != owner.st_uid else {}
        owners = Owners({owner.st_uid: uid, **roots}, {owner.st_gid: uid, **roots})
        _Filler(copy_bytes, owners, progress, opened).fill(source, opened, "")


class _Pruner:
    """Removes from a disk what is not as its snapshot says."""

    def __init__(self, index: Index, device: int) -> None:
        self._known = index.files
        self._device = device

    def prune(self, source: int, target: int, path: str) -> None:
        for name in names_in(target):
            status = os.stat(name, dir_fd=target, follow_symlinks=False)
            if status.st_dev != self._device:
                continue
            wanted, below = look(name, source), f"{path}/{name}" if path else name
            if wanted and stat.S_ISDIR(wanted.st_mode) and stat.S_ISDIR(status.st_mode):
                with directory(name, source) as inner, directory(name, target) as pruned:
                    self.prune(inner, pruned, below)
            elif not self._stays(wanted, status, below):
                remove(name, target, status)

    def _stays(self, wanted: os.stat_result | None, status: os.stat_result, path: str) -> bool:
        if wanted is None or not stat.S_ISREG(wanted.st_mode):
            return False
        known = self._known.get(path)
        return known is not None and known.vouches_for(status)


class _Filler:
    """Makes in a directory what a snapshot has and it has not."""

    def __init__(
        self, copy_bytes: CopyBytes, owners: Owners, progress: CopyProgress, root: int
    ) -> None:
        self._copy_bytes = copy_bytes
        self._owners = owners
        self._progress = progress
        self._root = root
        self._names: dict[int, str] = {}
        """Where the first of several names of a snapshot's inode stands, below the root."""

    def fill(self, source: int, target: int, path: str) -> None:
        """Contents first, then the directory's own facts, which they change."""
        for name in sorted(names_in(source)):
            self._entry(name, source, target, f"{path}/{name}" if path else name)
        dress(source, target, os.fstat(source), self._owners)

    def _entry(self, name: str, source: int, target: int, path: str) -> None:
        status = os.stat(name, dir_fd=source, follow_symlinks=False)
        present = look(name, target) is not None
        if stat.S_ISDIR(status.st_mode):
            with ExitStack() as opened:
                inner = opened.enter_context(directory(name, source))
                filled = (
                    opened.enter_context(directory(name, target))
                    if present
                    else make_directory(name, target, opened)
                )
                self.fill(inner, filled, path)
        elif not stat.S_ISREG(status.st_mode):
            copy_special(name, source, target, status, self._owners)
        else:
            self._file(name, source, target, path, status, present)

    def _file(
        self, name: str, source: int, target: int, path: str, status: os.stat_result, present: bool
    ) -> None:
        first = self._names.setdefault(status.st_ino, path) if status.st_nlink > 1 else path
        if present:
            self._progress.kept(status.st_size)
        elif first == path or not link_within(self._root, first, name, target):
            with plain_file(name, source) as content, new_file(name, target) as made:
                self._copy_bytes(content, made, status.st_size)
                dress(content, made, status, self._owners)
            self._progress.copied(status.st_size)
