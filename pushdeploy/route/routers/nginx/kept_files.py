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

_Signature = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Known:
    content: bytes
    signature: _Signature | None


class KeptFiles:
    """The files are known once they were written here. Not thread-safe: the caller holds a lock."""

    def __init__(self) -> None:
        self._known: dict[Path, _Known] = {}

    def write(self, path: Path, content: bytes | None) -> None:
        """Write the file; None removes it."""
        if content is None:
            self._known.pop(path, None)
            remove(path)
            return
        write_whole(path, content)
        self.learn(path, content)

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
        damaged = [path for path, content in changed.items() if read(path) != content]
        for path, content in changed.items():
            self.write(path, content) if path in damaged else self.learn(path, content)
        return damaged


def write_whole(path: Path, content: bytes) -> None:
    """Readers see the former content or the new one, nothing between; 0644 whatever the umask.

    Not flushed to the disk: all of it is rendered again at every start.
    """
    beside = path.with_name(path.name + ".new")
    _clear_directory(beside)
    beside.write_bytes(content)
    beside.chmod(0o644)
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


def _signature(path: Path) -> _Signature | None:
    with suppress(OSError):
        stat = os.lstat(path)
        return (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_mode)
    return None
