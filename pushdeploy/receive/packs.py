"""Finds the packs that a loss of power has damaged, and saves the objects that can be read.

Looked at are the ends of the files, which is what a loss of power takes: the shape is that of
gitformat-pack(5). All their bytes are read only after a start, and by the doctor.
"""

import hashlib
import os
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

from pushdeploy.receive.git import Git, GitFailed, kill

ASIDE = "damaged"
"""Where in a repository lies what could not be read."""

_PACK = b"PACK\0\0\0"
_INDEX = b"\xfftOc\0\0\0\2"
_HASH = 20
_FANOUT_END = len(_INDEX) + 256 * 4
_ENTRY = _HASH + 4 + 4
_LARGE = 8
_BLOCK = 1024 * 1024
_SETTLED_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Packs:
    """``directory`` is that of a bare repository."""

    directory: Path

    def damaged(self) -> Iterator[Path]:
        """List packs without index, indexes without pack, and both where they do not match."""
        for pack, index in self._pairs().values():
            if not pack.exists():
                yield index
            elif not _is_whole(pack):
                yield pack
            elif not _fits(pack, index):
                yield index

    def rotten(self) -> Iterator[Path]:
        """List packs whose bytes do not have the hash at their end. Reads all."""
        for pack, _ in self._pairs().values():
            if _is_whole(pack) and not _is_as_written(pack):
                yield pack

    def missing(self, commits: Iterable[str]) -> set[str]:
        """Choose the commits that no index lists."""
        left = set(commits)
        for _, index in self._pairs().values() if left else ():
            left = {commit for commit in left if not _lists(index, bytes.fromhex(commit))}
        return left

    def mend(self, *, thorough: bool = False) -> Iterator[str]:
        """Make damaged indexes anew, and keep the readable objects of damaged packs.

        A sentence for each.

        ``thorough`` reads all bytes of all packs.
        """
        found = {*self.damaged(), *(self.rotten() if thorough else ())}
        if found:
            # Packs come and go while others push, a file at a time.
            time.sleep(_SETTLED_SECONDS)
        for path in sorted(found.intersection([*self.damaged(), *self._still_there(found)])):
            pack, index = path.with_suffix(".pack"), path.with_suffix(".idx")
            for beside in (".idx", ".rev", ".bitmap"):
                path.with_suffix(beside).unlink(missing_ok=True)
            name = path.relative_to(self.directory)
            if not pack.exists():
                yield f"{name} had no pack"
            elif path == index and self._indexed(pack):
                yield f"{name} was damaged, and is made anew"
            else:
                self._salvage(pack)
                yield f"{pack.relative_to(self.directory)} was damaged: what can be read is kept"

    def _pairs(self) -> Mapping[str, tuple[Path, Path]]:
        found = [*(self.directory / "objects" / "pack").glob("pack-*")]
        stems = {path.stem: path for path in found if path.suffix in {".pack", ".idx"}}
        return {
            stem: (path.with_suffix(".pack"), path.with_suffix(".idx"))
            for stem, path in sorted(stems.items())
        }

    def _still_there(self, found: Iterable[Path]) -> Iterator[Path]:
        """Packs that begin and end well, and are rotten all the same."""
        return (path for path in found if path.suffix == ".pack" and path.exists())

    def _indexed(self, pack: Path) -> bool:
        try:
            Git(self.directory).read("index-pack", str(pack))
        except GitFailed:
            return False
        return True

    def _salvage(self, pack: Path) -> None:
        """git reads as far as it goes, from a place where it does not look for packs itself."""
        aside = self.directory / ASIDE
        aside.mkdir(exist_ok=True)
        moved = pack.replace(aside / pack.name)
        git = Git(self.directory)
        with (
            moved.open("rb") as content,
            git.start("unpack-objects", "-r", "-q", stdin=content, stdout=DEVNULL) as child,
        ):
            try:
                child.wait(git.limits.timeout_seconds)
            finally:
                kill(child)


def _is_whole(pack: Path) -> bool:
    """Tell whether it begins as packs do, and is long enough for what it says to be in it."""
    content = _ends(pack, 12, _HASH)
    if content is None:
        return False
    begin, end, size = content
    count = int.from_bytes(begin[8:12], "big")
    return begin.startswith(_PACK) and any(end) and size >= 12 + count + _HASH


def _is_as_written(pack: Path) -> bool:
    digest = hashlib.sha1(usedforsecurity=False)
    try:
        with pack.open("rb") as file:
            left = os.fstat(file.fileno()).st_size - _HASH
            while left > 0 and (block := file.read(min(left, _BLOCK))):
                digest.update(block)
                left -= len(block)
            return file.read() == digest.digest()
    except FileNotFoundError:
        return True  # another push has put the packs together


def _fits(pack: Path, index: Path) -> bool:
    """Tell whether the index is one, as long as its objects make it, and of this very pack."""
    of_pack, of_index = _ends(pack, 12, _HASH), _ends(index, _FANOUT_END, 2 * _HASH)
    if of_pack is None or of_index is None:
        return False
    begin, end, size = of_index
    count = int.from_bytes(begin[-4:], "big")
    large = size - _FANOUT_END - count * _ENTRY - 2 * _HASH
    return (
        begin.startswith(_INDEX)
        and of_pack[0][8:12] == begin[-4:]
        and of_pack[1] == end[:_HASH]
        and large >= 0
        and large % _LARGE == 0
    )


def _lists(index: Path, wanted: bytes) -> bool:
    """Tell whether the name is among those of an index, which are sorted."""
    try:
        with index.open("rb") as file:
            file.seek(len(_INDEX))
            fanout = struct.unpack("!256I", file.read(256 * 4))
            first = fanout[wanted[0] - 1] if wanted[0] else 0
            file.seek(_FANOUT_END + first * _HASH)
            names = file.read((fanout[wanted[0]] - first) * _HASH)
    except (OSError, struct.error):
        return False
    return any(names[at : at + _HASH] == wanted for at in range(0, len(names), _HASH))


def _ends(path: Path, first: int, last: int) -> tuple[bytes, bytes, int] | None:
    """The first and last bytes, and how many there are in all; None where there are too few."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < first + last:
                return None
            begin = file.read(first)
            file.seek(-last, os.SEEK_END)
            return begin, file.read(last), size
    except OSError:
        return None
