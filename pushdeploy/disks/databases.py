"""Holds a SQLite database still while it is copied, by SQLite's own locks and without SQLite.

The bytes that its connections lock are part of the file format (sqlite.org/fileformat2.html, "The
Lock-Byte Page", and sqlite.org/walformat.html, "WAL Locks"), so that all versions of it respect
each other; we take part. Nothing that an app wrote is parsed, no file is made, and the database
stays as it is to the byte: a connection of ours would roll back, recover or checkpoint it.

* Rollback journal: SHARED. Whoever writes pages into the file holds EXCLUSIVE, which is not to be
  had meanwhile. The journal is copied too unless a writer is at it (RESERVED), which is how SQLite
  tells a hot one. We never hold RESERVED: readers would take a hot journal for a busy one.
* WAL: SHARED, and the write lock in ``-shm``. No transaction can be written. A checkpoint may go
  on: it moves into the file what stays in the WAL, for only a writer may start the WAL anew, and
  only EXCLUSIVE may remove it. So file and WAL make a whole, whenever each of them is read.
* WAL, and no ``-shm``: nobody is connected. EXCLUSIVE, so that nobody comes.
"""

import fcntl
import os
import signal
import struct
import time
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from pushdeploy.disks.files import look, plain_file
from pushdeploy.domain.errors import BackendDown

WAL, SHM, JOURNAL = "-wal", "-shm", "-journal"
PATIENCE_SECONDS = 30

_MAGIC = b"SQLite format 3\0"
_VERSIONS_OFFSET, _WAL_VERSIONS = 18, b"\2\2"
"""Where the header says who may write and read it, and what it says in WAL mode."""

_PENDING, _RESERVED, _SHARED = (0x40000000, 1), (0x40000001, 1), (0x40000002, 510)
_WAL_WRITE = (120, 1)
"""Offsets and lengths."""

_FLOCK = "hhqqi4x"
"""struct flock of fcntl(2) on 64-bit Linux: type, whence, start, length, pid."""

_PAUSE_SECONDS = 0.005


def is_database(head: bytes, name: str, names: Container[str]) -> bool:
    """Judge by the first bytes; else (encrypted, or not yet written) by names beside the file."""
    if head.startswith(_MAGIC):
        return True
    return (name + WAL in names and name + SHM in names) or (not head and name + JOURNAL in names)


@contextmanager
def held_still(
    database: int, name: str, within: int, line: Callable[[str], None]
) -> Iterator[list[str]]:
    """Let no change get through while the context lasts: the names that must be copied with it.

    ``database`` is open for reading. ``BackendDown`` when a connection has kept it locked for
    ``PATIENCE_SECONDS``. What cannot be opened for writing is copied as it stands: a line says so.
    """
    with ExitStack() as files:
        try:
            lockable = _reopened(database, files)
            with _patience(name):
                _lock_shared(lockable)
                beside = _lock_writers(lockable, name, within, files)
        except OSError as error:
            line(f"{name} cannot be locked: {error.strerror}. It is copied as it stands")
            beside = [name + WAL, name + JOURNAL]
        yield [each for each in beside if look(each, within) is not None]


def _reopened(database: int, files: ExitStack) -> int:
    """The same inode, open for writing too: a lock against others takes that."""
    lockable = os.open(f"/proc/self/fd/{database}", os.O_RDWR)
    files.callback(os.close, lockable)
    return lockable


def _lock_shared(lockable: int) -> None:
    """As SQLite does: by way of PENDING, with which a writer keeps new readers off."""
    _lock(lockable, fcntl.F_RDLCK, _PENDING)
    _lock(lockable, fcntl.F_RDLCK, _SHARED)
    _lock(lockable, fcntl.F_UNLCK, _PENDING)


def _lock_writers(lockable: int, name: str, within: int, files: ExitStack) -> list[str]:
    """Under SHARED, which keeps the mode as it is: what belongs to the database."""
    if not _in_wal_mode(lockable, name, within):
        return [] if _is_locked(lockable, _RESERVED) else [name + JOURNAL]
    while not (_lock_wal(name, within, files) or _keep_everybody_off(lockable, name, within)):
        time.sleep(_PAUSE_SECONDS)
    return [name + WAL, name + JOURNAL]


def _in_wal_mode(lockable: int, name: str, within: int) -> bool:
    """An encrypted header tells nothing, but then the files beside it do."""
    versions = os.pread(lockable, len(_WAL_VERSIONS), _VERSIONS_OFFSET)
    return versions == _WAL_VERSIONS or any(look(name + end, within) for end in (WAL, SHM))


def _lock_wal(name: str, within: int, files: ExitStack) -> bool:
    """Tell whether there is a ``-shm`` to hold the write lock in.

    We do not enter ourselves as a user of it (byte 128): after a crash of the machine it is stale,
    and the next connection makes it anew only when it finds itself to be the first.
    """
    try:
        shm = files.enter_context(plain_file(name + SHM, within, writable=True))
    except FileNotFoundError:
        return False
    _lock(shm, fcntl.F_WRLCK, _WAL_WRITE)
    return True


def _keep_everybody_off(lockable: int, name: str, within: int) -> bool:
    """EXCLUSIVE, if nobody is connected; back to SHARED if somebody was a moment ago."""
    try:
        fcntl.fcntl(lockable, fcntl.F_OFD_SETLK, _range(fcntl.F_WRLCK, _SHARED))
    except BlockingIOError:
        return False
    if look(name + SHM, within) is None:
        return True
    _lock(lockable, fcntl.F_RDLCK, _SHARED)
    return False


def _lock(file: int, kind: int, place: tuple[int, int]) -> None:
    """Of the open file, not of the process: closing another descriptor does not drop it."""
    fcntl.fcntl(file, fcntl.F_OFD_SETLKW, _range(kind, place))


def _is_locked(file: int, place: tuple[int, int]) -> bool:
    answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _range(fcntl.F_WRLCK, place))
    return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)


def _range(kind: int, place: tuple[int, int]) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, *place, 0)


@contextmanager
def _patience(name: str) -> Iterator[None]:
    """The main thread's only: waiting for a lock ends by a signal."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise BackendDown(
            f"the database {name} has been kept locked by its app for {PATIENCE_SECONDS} s",
            "ps:stop APP, and try again",
        )

    former = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
