"""An index tells, without reading it, whether a file of a disk is still the one in a snapshot."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

_SETTLED_NS = 60 * 10**9
"""A file that was written less than this before it was copied is not trusted, unless it has been
flushed between.

A page that is mapped into memory can be written for half a minute after its file's time was set,
until the kernel writes it back (vm.dirty_expire_centisecs). From then on a write sets the time.
"""

_TICK_NS = 50 * 10**6
"""More than the kernel's clock for the times of files is ever late."""


class Identity(NamedTuple):
    """An identity describes a file of the disk at the moment when its content was copied."""

    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    at_rest: bool
    """Whether nobody could have written to it since without a trace in its times."""

    @classmethod
    def of(cls, status: os.stat_result, copied_ns: int, flushed_ns: int = 0) -> Self:
        """``copied_ns`` is the time when the copy began, by the clock of the times of files.

        ``flushed_ns`` is when a flush of its file system had begun that had ended by then.
        """
        age_ns, before_flush_ns = copied_ns - status.st_ctime_ns, flushed_ns - status.st_ctime_ns
        return cls(
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            age_ns >= _SETTLED_NS or before_flush_ns >= _TICK_NS,
        )

    def fits(self, status: os.stat_result) -> bool:
        """Tell whether the file looks as it did then."""
        return self[:4] == (
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )

    def vouches_for(self, status: os.stat_result) -> bool:
        """Tell whether it is certain that not a byte has changed."""
        return self.at_rest and self.fits(status)


class Index(NamedTuple):
    """An index lists ``files`` by their path in the tree.

    An imported tree has none; sizes of all its files.
    """

    files: Mapping[str, Identity]
    size_bytes: int

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read an empty index when the tree ``place`` has none, or a damaged one."""
        try:
            stored = json.loads(_beside(place).read_bytes())
            files = {path: _identity(*values) for path, values in stored["files"].items()}
            return cls(files, int(stored["size_bytes"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return cls({}, 0)

    def write(self, place: Path) -> None:
        _beside(place).write_text(json.dumps(self._asdict(), separators=(",", ":")))


def _identity(inode: int, size_bytes: int, mtime_ns: int, ctime_ns: int, rest: object) -> Identity:
    """An index of before knows when a file was copied instead."""
    at_rest = rest if isinstance(rest, bool) else int(str(rest)) - ctime_ns >= _SETTLED_NS
    return Identity(inode, size_bytes, mtime_ns, ctime_ns, at_rest)


def _beside(place: Path) -> Path:
    """No disk has a dot in its name."""
    return place.with_name(f"{place.name}.index")
