"""Whether the home can be written to, said in words, and a reserve for when it is full."""

import errno
import logging
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from pushdeploy.domain.errors import BackendDown, NoRoom, PushdeployError
from pushdeploy.domain.sizes import about_bytes

_log = logging.getLogger(__name__)

_PROBE_BYTES = 64 * 1024
"""More than what a page of the database, a ref or a rendered file takes."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})

_FREES = (
    "releases:gc, disks:forget APP sN --force or apps:destroy APP makes room;"
    " disks:snapshots APP shows what there is"
)

RESERVE_BYTES = 16 * 1024**2
_RESERVE_FILES = 32
_RESERVE_PART = 20
"""The reserve takes no more than this part of what is free when it is made."""


def lack_of(place: Path) -> NoRoom | None:
    """Why nothing can be written where ``place`` is: tried, for no number tells it reliably."""
    draft = place / f".room-{secrets.token_hex(8)}"
    if not place.is_dir():
        return None
    try:
        _write(draft, _PROBE_BYTES)
    except OSError as error:
        return _lack(error, place) if error.errno in _NO_ROOM else None
    finally:
        with suppress(OSError):
            draft.unlink()
    return None


def blamed(error: BaseException, place: Path) -> PushdeployError | None:
    """What to tell in place of ``error`` when its cause is that ``place`` cannot be written to.

    None where that is not so. What the app itself did wrong is never told like this.
    """
    if isinstance(error, PushdeployError) and not isinstance(error, BackendDown):
        return None
    own = next((each for each in _causes(error) if _is_lack(each)), None)
    return _lack(own, place) if own is not None else lack_of(place)


class Reserve:
    """Room in the home that is given up when it is full, so that what frees more can run."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._place = home / "reserve"

    def keep(self) -> None:
        """Make it where there is none and enough is free. Does not raise."""
        if self._place.exists():
            return
        draft = self._home / ".reserve"
        try:
            shutil.rmtree(draft, ignore_errors=True)
            free_bytes = shutil.disk_usage(self._home).free
            if free_bytes < 2 * RESERVE_BYTES:
                return
            draft.mkdir(mode=0o700)
            for number in range(_RESERVE_FILES):  # a file system can run out of files, too
                (draft / str(number)).touch()
            _write(draft / "room", min(RESERVE_BYTES, free_bytes // _RESERVE_PART))
            draft.rename(self._place)
        except OSError as error:
            _log.info("no room is kept in reserve: %s", error.strerror)
            shutil.rmtree(draft, ignore_errors=True)

    def give_up(self) -> bool:
        """Whether there was one."""
        if not self._place.exists():
            return False
        shutil.rmtree(self._place, ignore_errors=True)
        return not self._place.exists()


def _write(path: Path, size_bytes: int) -> None:
    """Blocks that are really taken: some file systems find out only when they are flushed."""
    with path.open("xb") as file:
        file.write(secrets.token_bytes(4096) * (size_bytes // 4096))
        file.flush()
        os.fsync(file.fileno())


def _is_lack(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in found:
        found.append(each)
        each = each.__cause__ or each.__context__
    return found


def _lack(error: BaseException, place: Path) -> NoRoom:
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
