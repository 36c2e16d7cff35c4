"""What tells that a file of a disk is still the one that a snapshot holds, without reading it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

_SETTLED_NS = 60 * 10**9
"""A file that was written less than this before it was copied is never trusted.

Clocks tick coarsely, and a page that is mapped into memory can be written for half a minute after
its file's time was set, until the kernel writes it back (vm.dirty_expire_centisecs).
"""


class Identity(NamedTuple):
    """A file of the disk when its content was copied."""

    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    copied_ns: int

    @classmethod
    def of(cls, status: os.stat_result, copied_ns: int) -> Self:
        return cls(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, copied_ns)

    def fits(self, status: os.stat_result) -> bool:
        """Whether the file looks as it did then."""
        return self[:4] == (
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )

    def vouches_for(self, status: os.stat_result) -> bool:
        """Whether it is certain that not a byte has changed."""
        return self.copied_ns - self.ctime_ns >= _SETTLED_NS and self.fits(status)


class Index(NamedTuple):
    """``files`` by their path in the tree. An imported tree has none; sizes of all its files."""

    files: Mapping[str, Identity]
    size_bytes: int

    @classmethod
    def read(cls, place: Path) -> Self:
        """An empty one when the tree ``place`` has none, or a damaged one: nothing is trusted."""
        try:
            stored = json.loads(_beside(place).read_bytes())
            files = {path: Identity(*values) for path, values in stored["files"].items()}
            return cls(files, int(stored["size_bytes"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return cls({}, 0)

    def write(self, place: Path) -> None:
        _beside(place).write_text(json.dumps(self._asdict(), separators=(",", ":")))


def _beside(place: Path) -> Path:
    """No disk has a dot in its name."""
    return place.with_name(f"{place.name}.index")
