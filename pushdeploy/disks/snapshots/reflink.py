"""Reflinks share their blocks with the disk until one side writes: btrfs, XFS, bcachefs."""

import errno
import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

from pushdeploy.disks.byte_copy import copy_bytes
from pushdeploy.disks.trees import TreeSnapshots

_FICLONE = 0x40049409
"""ioctl_ficlone(2)."""

_NOT_THIS_FILE = {errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.ETXTBSY}


def share(source: int, target: int, size_bytes: int) -> None:
    """Share all of ``source``; copy it where the file system refuses (btrfs: without CoW)."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno not in _NOT_THIS_FILE:
            raise
        copy_bytes(source, target, size_bytes)


def can_share(disk: Path, place: Path) -> bool:
    """Try it between files without a name: nothing is seen of it in either directory."""
    with ExitStack() as files:
        try:
            source, target = (_nameless(directory, files) for directory in (disk, place))
            fcntl.ioctl(target, _FICLONE, source)
        except OSError:
            return False
    return True


def _nameless(directory: Path, files: ExitStack) -> int:
    """open(2), O_TMPFILE."""
    made = os.open(directory, os.O_TMPFILE | os.O_RDWR, 0o600)
    files.callback(os.close, made)
    return made


SNAPSHOT = TreeSnapshots(order=10, copy_bytes=share, can=can_share, shares_blocks=True)
