"""Finds out whether a directory can be written to, and says in words why it cannot."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from pushdeploy.domain.errors import BackendDown, NoRoom, PushdeployError
from pushdeploy.domain.sizes import about_bytes

_PROBE_BYTES = 64 * 1024
"""More than what a page of the database, a ref or a rendered file takes."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})

_FREES = (
    "releases:gc, disks:forget APP sN --force or apps:destroy APP makes room;"
    " disks:snapshots APP shows what there is"
)


def no_room_at(place: Path) -> NoRoom | None:
    """Say why nothing can be written where ``place`` is, None where something can.

    A file is written to find out, for no number tells it reliably.
    """
    draft = place / f".room-{secrets.token_hex(8)}"
    if not place.is_dir():
        return None
    try:
        write_blocks(draft, _PROBE_BYTES)
    except OSError as error:
        return _no_room(error, place) if error.errno in _NO_ROOM else None
    finally:
        with suppress(OSError):
            draft.unlink()
    return None


def no_room_behind(error: BaseException, place: Path) -> PushdeployError | None:
    """Give what to tell in place of ``error`` where it came because ``place`` cannot be written to.

    None where it came from something else. A fault of the app itself is never told like this.
    """
    if isinstance(error, PushdeployError) and not isinstance(error, BackendDown):
        return None
    cause = next((each for each in _causes(error) if _means_no_room(each)), None)
    return _no_room(cause, place) if cause is not None else no_room_at(place)


def write_blocks(path: Path, size_bytes: int) -> None:
    """Write a new file whose blocks are really taken: it is flushed, for some file systems notice
    only then that they are full. ``OSError``."""
    with path.open("xb") as file:
        file.write(secrets.token_bytes(4096) * (size_bytes // 4096))
        file.flush()
        os.fsync(file.fileno())


def _means_no_room(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in found:
        found.append(each)
        each = each.__cause__ or each.__context__
    return found


def _no_room(error: BaseException, place: Path) -> NoRoom:
    number = error.errno if isinstance(error, OSError) else errno.ENOSPC
    mount = _mount_of(place)
    if number == errno.EROFS:
        return NoRoom(
            f"the file system at {mount} is read-only: nothing can be changed",
            f"dmesg, on the server, says why; mount -o remount,rw {mount}, then restart pushdeploy",
        )
    if number == errno.EDQUOT:
        return NoRoom(f"the quota at {mount} is used up: nothing can be written", _FREES)
    status = os.statvfs(mount)
    if status.f_files and not status.f_ffree:
        return NoRoom(f"the file system at {mount} has no room for another file", _FREES)
    size, free = status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize
    numbers = f"{about_bytes(free)} of {about_bytes(size)} are free"
    return NoRoom(f"the file system at {mount} is full: {numbers}", _FREES)


def _mount_of(place: Path) -> Path:
    place = place.absolute()
    return next(each for each in (place, *place.parents) if os.path.ismount(each))
