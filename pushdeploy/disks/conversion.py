"""A plain directory becomes a disk with a size, or the other way; a kill at any moment is harmless.

Beside the directory ``data`` of a disk there may be

- ``.data.making``: what is not whole yet; whoever finds it after a kill throws it away;
- ``.data.spare``: all of the data as a plain directory. It counts exactly when nothing else holds
  the disk: the one step from one state to the other is the rename or the unlink that changes that.
"""

import fcntl
import os
import shutil
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pushdeploy.disks import mounts
from pushdeploy.disks.durable import flush
from pushdeploy.disks.programs import run, used_bytes
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.sizes import about_bytes

_GET_FLAGS, _SET_FLAGS, _IMMUTABLE = 0x8008_6601, 0x4008_6602, 0x10
"""ioctl_iflags(2)."""


def making(path: Path) -> Path:
    """Return the path of the directory that is not whole yet."""
    return path.with_name(f".{path.name}.making")


def spare(path: Path) -> Path:
    """Return the path of the plain directory that holds all of the data."""
    return path.with_name(f".{path.name}.spare")


@contextmanager
def workshop(path: Path, is_held: Callable[[], bool]) -> Iterator[Path]:
    """Give an empty directory to make the other kind in; afterwards one of the two is the disk.

    ``is_held`` tells whether a limited kind holds the disk now.
    """
    refuse_in_use(path)
    sweep(path, held=is_held())
    if os.path.lexists(spare(path)):
        raise UserError(f"{spare(path)} may hold data of disk {path.name}", "look at it first")
    making(path).mkdir(mode=0o700)
    try:
        yield making(path)
    finally:
        settle(path, held=is_held())
        sweep(path, held=is_held())


def settle(path: Path, *, held: bool) -> None:
    """Put the spare in its place when the spare is the disk. Changes nothing when all is well."""
    if held or not os.path.lexists(spare(path)):
        return
    if os.path.lexists(path):
        unseal(path)
        with suppress(OSError):  # not empty: somebody has made a disk there, and the spare stays
            path.rmdir()
    if not os.path.lexists(path):
        spare(path).rename(path)
        flush(path.parent)


def sweep(path: Path, *, held: bool) -> None:
    """Remove the files of an earlier conversion, where none is going on."""
    discard(making(path))
    if held:
        discard(spare(path))


def discard(path: Path) -> None:
    """Remove the directory with all that is mounted in it, which is our own."""
    if os.path.lexists(path):
        for point in mounts.below(path):
            run("umount", "--lazy", "--", point)
        run("rm", "--recursive", "--force", "--", str(path))


def copy(source: Path, target: Path) -> None:
    """Copy and flush everything with owners, times, links, holes and the directory's own mode."""
    run("cp", "--archive", "--one-file-system", "--", f"{source}/.", str(target))
    run("sync", "--file-system", "--", str(target))


def refuse_in_use(path: Path) -> None:
    """Raise ``UserError`` while a container has the disk, for it would write to the old data."""
    if mounts.is_held_elsewhere(path):
        raise UserError(
            f"disk {path.name} is in use: it is copied to change its kind, and nothing may write",
            f"ps:stop {path.parent.name}, and again",
        )


def refuse_without_room(path: Path, most_bytes: int | None = None) -> None:
    """Raise ``UserError`` where a copy does not fit into ``most_bytes``, or beside the original."""
    used, free = used_bytes(path), shutil.disk_usage(path.parent).free
    if most_bytes is not None and used > most_bytes:
        raise UserError(
            f"disk {path.name} holds {about_bytes(used)}, more than {about_bytes(most_bytes)}",
            "give it a larger size, or delete files first",
        )
    if used > free:
        raise UserError(
            f"disk {path.name} holds {about_bytes(used)}, and the server has room for"
            f" {about_bytes(free)} to copy it to",
            "free some space on the server first",
        )


def seal(path: Path) -> None:
    """Make an empty directory that nobody can write to, root in a container included.

    Mounting on it works. What a container wrote there before the disk is mounted would be lost
    from sight. Not every file system can; then the mode alone keeps all but root out.
    """
    path.chmod(0)
    with suppress(OSError):
        _change_flags(path, lambda flags: flags | _IMMUTABLE)


def unseal(path: Path) -> None:
    """Let a directory be changed again that ``seal`` has closed."""
    with suppress(OSError):
        _change_flags(path, lambda flags: flags & ~_IMMUTABLE)


def is_sealed(path: Path) -> bool:
    """Tell whether ``seal`` has closed the directory."""
    return os.path.lexists(path) and stat.S_IMODE(path.lstat().st_mode) == 0


def _change_flags(path: Path, change: Callable[[int], int]) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        answer = fcntl.ioctl(descriptor, _GET_FLAGS, struct.pack("ii", 0, 0))
        flags = int(struct.unpack("ii", answer)[0])
        if change(flags) != flags:
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("ii", change(flags), 0))
    finally:
        os.close(descriptor)
