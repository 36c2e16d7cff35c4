"""Measures a disk's files without reading them: the size of a snapshot, and of the changes."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pushdeploy.disks.databases import SHM
from pushdeploy.disks.files import GONE, check_depth, directory, names_in
from pushdeploy.disks.index import Identity
from pushdeploy.domain.estimate import Estimate

_BLOCK_BYTES = 512
"""What st_blocks counts in, stat(2)."""


def estimate(disk: Path, known: Mapping[str, Identity]) -> Estimate:
    """Count the blocks of all files that may differ from ``known``, and of the directories."""
    seen, needed, names = set(), 0, 0
    for path, status in _walk(disk):
        names += 1
        if status.st_ino in seen or (path in known and known[path].vouches_for(status)):
            continue
        seen.add(status.st_ino)
        needed += status.st_blocks * _BLOCK_BYTES
    return Estimate(needed, names)


def changed_bytes(disk: Path, known: Mapping[str, Identity]) -> int:
    """Sum the bytes of all files that differ from ``known``."""
    return sum(
        status.st_size
        for path, status in _walk(disk)
        if stat.S_ISREG(status.st_mode) and not (path in known and known[path].fits(status))
    )


def size_bytes(tree: Path) -> int:
    """Sum the bytes of all files, one with several names once for each."""
    return sum(status.st_size for _, status in _walk(tree) if stat.S_ISREG(status.st_mode))


def _walk(disk: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below the disk but for what snapshots leave out, by its path."""
    with directory(disk) as root:
        yield from _below(root, "", os.fstat(root).st_dev, 0)


def _below(within: int, path: str, device: int, depth: int) -> Iterator[tuple[str, os.stat_result]]:
    check_depth(depth, path)
    names = names_in(within)
    present = set(names)
    for name in names:
        if name.endswith(SHM) and name.removesuffix(SHM) in present:
            continue
        with suppress(*GONE):
            status = os.stat(name, dir_fd=within, follow_symlinks=False)
            below = f"{path}/{name}" if path else name
            if status.st_dev == device:
                yield below, status
            if stat.S_ISDIR(status.st_mode) and status.st_dev == device:
                with directory(name, within) as opened:
                    yield from _below(opened, below, device, depth + 1)
