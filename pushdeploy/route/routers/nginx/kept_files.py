"""Files that we have written for nginx are remembered: a damaged one is written again.

All of them are derived: what one of them should hold is known without looking at it. A look at its
size, time and inode tells whether somebody else has had a hand in it.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_Signature = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """``group``: the number of the files' group, None for our own."""

    mode: int = 0o644
    group: int | None = None


_OPEN = Access()
"""nginx's files hold no secrets."""


@dataclass(frozen=True, slots=True)
class _Known:
    content: bytes
    signature: _Signature | None


class KeptFiles:
    """The files are known once they were written here. Not thread-safe: the caller holds a lock."""

    def __init__(self, access: Access = _OPEN) -> None:
        self.access = access
        self._known: dict[Path, _Known] = {}

    def write(self, path: Path, content: bytes | None) -> None:
        """Write the file; None removes it."""
        if content is None:
            self._known.pop(path, None)
            remove(path)
            return
        write_whole(path, content, self.access)
        self.learn(path, content)

    def holds(self, path: Path, content: bytes) -> bool:
        """Tell whether the file holds this already, for those alone who may read it."""
        known = self._known.get(path)
        if known and known.content == content and _signature(path) == known.signature:
            return True
        if read(path) != content or not _has(path, self.access):
            return False
        self.learn(path, content)
        return True

    def learn(self, path: Path, content: bytes) -> None:
        """Note that the file holds this already, and should go on to do so."""
        self._known[path] = _Known(content, _signature(path))

    def knows(self, path: Path) -> bool:
        return path in self._known

    def mend(self) -> Sequence[Path]:
        """Write those again that do not hold any more what they should: which these were."""
        changed = {
            path: known.content
            for path, known in self._known.items()
            if _signature(path) != known.signature
        }
        damaged = [
            path
            for path, content in changed.items()
            if read(path) != content or not _has(path, self.access)
        ]
        for path, content in changed.items():
            self.write(path, content) if path in damaged else self.learn(path, content)
        return damaged


def write_whole(path: Path, content: bytes, access: Access = _OPEN) -> None:
    """Readers see the former content or the new one, nothing between; the umask does not count.

    Not flushed to the disk: all of it is rendered again at every start. Nobody else can read it
    before it has its access.
    """
    beside = path.with_name(path.name + ".new")
    remove(beside)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        if access.group is not None:
            os.fchown(descriptor, -1, access.group)
        os.fchmod(descriptor, access.mode)
    _clear_directory(path)
    beside.replace(path)


def read(path: Path) -> bytes | None:
    """Read a file; None without a plain one that could be read."""
    try:
        return path.read_bytes() if path.is_file() and not path.is_symlink() else None
    except OSError:
        return None


def remove(path: Path) -> None:
    """Whatever it is, and whether it is there or not."""
    _clear_directory(path)
    path.unlink(missing_ok=True)


def _clear_directory(path: Path) -> None:
    """Nobody but an accident makes a directory where a file of ours belongs."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)


def _has(path: Path, access: Access) -> bool:
    """Tell whether those and only those may read it who should; an own group is not looked at."""
    with suppress(OSError):
        stat = os.lstat(path)
        group = access.group if access.group is not None else stat.st_gid
        return (stat.st_mode & 0o777, stat.st_gid) == (access.mode, group)
    return False


def _signature(path: Path) -> _Signature | None:
    with suppress(OSError):
        stat = os.lstat(path)
        return (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_mode, stat.st_gid)
    return None
