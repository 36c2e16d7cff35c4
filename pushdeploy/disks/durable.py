"""Flushes a tree to the device, for a snapshot must survive a crash of the machine."""

import ctypes
import os
import stat
from contextlib import suppress
from pathlib import Path

from pushdeploy.disks.files import GONE, directory, names_in, plain_file

FEW = 200
"""Up to so many files each is flushed by itself; a flush of all costs less for more of them.

But it waits for whatever else is being written there: the image of a build, most likely.
"""


class _TooManyError(Exception):
    pass


def make_durable(tree: Path) -> None:
    """Flush every file and directory of the tree to the device."""
    with directory(tree) as root:
        try:
            _flush_each(root, 0)
        except _TooManyError:
            _flush_all(root, tree)


def flush(path: Path) -> None:
    """Flush the file, or the names in the directory, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_file_system(tree: Path) -> None:
    """Flush everything on the tree's file system, and return when it is on the device."""
    with directory(tree) as root:
        _flush_all(root, tree)


def flush_names(place: Path) -> None:
    """Flush the files that lie in ``place`` itself, and their names; not the directories below."""
    with directory(place) as within:
        for name in names_in(within):
            status = os.stat(name, dir_fd=within, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                with plain_file(name, within) as file:
                    os.fsync(file)
        os.fsync(within)


def _flush_all(opened: int, tree: Path) -> None:
    """syncfs(2)."""
    if ctypes.CDLL(None, use_errno=True).syncfs(opened):
        raise OSError(ctypes.get_errno(), "it cannot be flushed", str(tree))


def _flush_each(within: int, flushed: int) -> int:
    """fsync(2) of everything in the directory, and itself: how many that were so far."""
    names = names_in(within)
    if (flushed := flushed + len(names)) > FEW:
        raise _TooManyError
    for name in names:
        with suppress(*GONE):
            status = os.stat(name, dir_fd=within, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                with directory(name, within) as inner:
                    flushed = _flush_each(inner, flushed)
            elif stat.S_ISREG(status.st_mode):
                with plain_file(name, within) as file:
                    os.fsync(file)
    os.fsync(within)
    return flushed
