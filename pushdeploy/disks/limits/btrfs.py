"""A btrfs subvolume with a quota group limits a disk, where disks lie on btrfs. btrfs-qgroup(8)."""

import os
import stat
from pathlib import Path

from pushdeploy.disks import conversion, mounts
from pushdeploy.disks.durable import flush
from pushdeploy.disks.programs import found, run, used_bytes
from pushdeploy.domain.disk import Usage
from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.domain.sizes import about_bytes

_SUBVOLUME = 256
"""The inode number of the root of every subvolume."""


class Btrfs:
    """This kind needs root and btrfs-progs. A limit changes, and goes, while the disk is in use."""

    name = "btrfs quota"
    order = 10

    def suits(self, root: Path) -> bool:
        return mounts.containing(root).kind == "btrfs" and found("btrfs") is not None

    def holds(self, path: Path) -> bool:
        """Tell whether the disk is a subvolume, with a limit now or not."""
        try:
            seen = path.lstat()
        except FileNotFoundError:
            return False
        is_one = stat.S_ISDIR(seen.st_mode) and seen.st_ino == _SUBVOLUME
        return is_one and mounts.containing(path).kind == "btrfs"

    def ensure(self, path: Path) -> bool:  # noqa: ARG002 - a subvolume needs no mount
        return False

    def limit_of(self, path: Path) -> int | None:
        return _group(path)[1]

    def usage(self, path: Path) -> Usage:
        used, limit = _group(path)
        seen = os.statvfs(path)
        free = seen.f_bavail * seen.f_frsize
        if limit is not None:
            free = max(0, min(free, limit - used))
        return Usage(used, limit, free, seen.f_blocks * seen.f_frsize, self.name)

    def limit(self, path: Path, size_bytes: int) -> None:
        if os.geteuid() != 0:
            raise BackendDown("only root can give a disk a size", "sudo pushdeploy serve")
        if not self.holds(path):
            self._convert(path, size_bytes)
        elif (used := _group(path)[0]) > size_bytes:
            raise UserError(
                f"disk {path.name} holds {about_bytes(used)}, more than {about_bytes(size_bytes)}",
                "give it a larger size, or delete files first",
            )
        _limit(path, str(size_bytes))

    def lift(self, path: Path) -> None:
        _limit(path, "none")

    def destroy(self, path: Path) -> None:
        """Remove the disk by rm, which takes subvolumes that the app has made inside along."""
        conversion.discard(path)

    def trouble(self, path: Path) -> str:  # noqa: ARG002 - it is a directory like any other
        return ""

    def growth_bytes(self, path: Path) -> int:
        used, limit = _group(path)
        return max(0, (limit or used) - used)

    def _convert(self, path: Path, size_bytes: int) -> None:
        conversion.refuse_without_room(path, size_bytes)
        with conversion.workshop(path, lambda: self.holds(path)) as workshop:
            subvolume = workshop / "subvolume"
            run("btrfs", "subvolume", "create", str(subvolume))
            _limit(subvolume, str(size_bytes))
            conversion.copy(path, subvolume)
            path.rename(conversion.spare(path))
            subvolume.rename(path)  # from here on the subvolume is the disk
            flush(path.parent)


LIMIT = Btrfs()


def _limit(path: Path, size: str) -> None:
    run("btrfs", "quota", "enable", str(path))
    run("btrfs", "qgroup", "limit", size, str(path))


def _group(path: Path) -> tuple[int, int | None]:
    """The bytes used and the limit of the subvolume's own group."""
    try:
        shown = run("btrfs", "qgroup", "show", "--raw", "-r", "-f", "--sync", str(path))
    except OSError:  # no quotas on this file system: nothing is limited
        return used_bytes(path), None
    row = shown.strip().splitlines()[-1].split()
    return int(row[1]), int(row[3]) if row[3].isdigit() else None
