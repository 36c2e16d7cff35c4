"""``python -m pushdeploy.disks.unpacker`` makes a tree of a tar on stdin, as the app's own user.

What somebody sends is not trusted: this process is locked into the new directory and has given up
all that it could do outside before it reads the first byte. Within, no name is followed through a
link. It answers on stdout, in JSON.
"""

import bz2
import ctypes
import errno
import gzip
import json
import lzma
import os
import resource
import stat
import sys
import tarfile
import zlib
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from pushdeploy.disks.child_process import end_with, say
from pushdeploy.disks.files import MOST_DEPTH, directory, look, new_file
from pushdeploy.domain.errors import BackendDown, NoRoom, PushdeployError, UserError
from pushdeploy.domain.sizes import about_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMORY_BYTES = 512 * 1024**2
"""For all of this process; a header may claim to be longer than any machine's memory."""

_MOST_SECONDS = 2**34
"""What the time of a file goes up to on every file system."""

_PIECE_BYTES = 1024 * 1024
_READ_BYTES = 64 * 1024
_BLOCK_BYTES = 4096
_MAGIC_BYTES = 6
_MOST_KEPT_BYTES = 1024**3
"""What an import leaves free at the least: a twentieth of the file system, or this."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_ROOT_MODE = 0o2770
_GROUP_STAYS = 0o2000
"""A directory hands its group on to what is made in it, as disks do; no privilege goes with it."""

_PR_SET_NO_NEW_PRIVS = 38
"""prctl(2)."""

_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError)
_HINT = "nothing was changed; send it again, and look at how the sending side ended"
_TAR_HINT = "make it with:  tar -C DIRECTORY -cf data.tar ."
_ROOM_HINT = "nothing was changed; make room on the server, or remove old snapshots"


def main() -> None:
    """Read ``{"target": …, "uid": …, "server": …}``, the only argument, and unpack."""
    job = json.loads(sys.argv[1])
    target = Path(job["target"])
    try:
        _make(target, job["uid"])
        _lock_in(target, job["uid"])
        end_with(job["server"])  # who becomes another user is to ask for it again
        with directory(".") as root, _full_told():
            say({"result": _unpack(sys.stdin.buffer, root)})
    except PushdeployError as error:
        say({"error": [type(error).__name__, error.message, error.hint]})
    except MemoryError:
        say({"error": [UserError.__name__, "the tar has a header that is too large", _HINT]})
    except OSError as error:
        text = f"the import cannot be unpacked: {error.strerror}"
        say({"error": [BackendDown.__name__, text, "look at the disk on the server"]})


def _make(target: Path, uid: int) -> None:
    target.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(target, uid, uid)
    target.chmod(_ROOT_MODE)


def _lock_in(target: Path, uid: int) -> None:
    """Nothing of the machine is left to be reached, whatever the tar may find to try."""
    os.chdir(target)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    library = ctypes.CDLL(None)
    if os.geteuid() == 0:
        os.chroot(".")
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _unpack(received: BinaryIO, root: int) -> Mapping[str, int]:
    source = _Source(received)
    with ExitStack() as opened, _broken_told():
        tree = opened.enter_context(_Tree(root))
        tar = tarfile.open(  # noqa: SIM115 - closing it would only look for its end again
            fileobj=cast("BinaryIO", source), mode="r|", bufsize=_READ_BYTES, tarinfo=_Member
        )
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined] # it would remember all of them
            tree.add(member, tar)
        source.read_to_end()
        tree.finish()
    if not tree.entries:
        raise UserError("the tar holds nothing", _TAR_HINT)
    return {"entries": tree.entries, "size": tree.size_bytes}


class _Source:
    """What was sent, unpacked where it is compressed; by its first bytes."""

    def __init__(self, received: BinaryIO) -> None:
        head = cast("gzip.GzipFile", received).peek(_MAGIC_BYTES)[:_MAGIC_BYTES]
        self._content = _unpacked(head, received)

    def read(self, most: int) -> bytes:
        """Raise ``UserError`` for what is no stream of its kind, or not a whole one."""
        try:
            return self._content.read(most)
        except _DAMAGED as error:
            raise UserError(f"the tar is damaged or cut short: {error}", _HINT) from error

    def read_to_end(self) -> None:
        """The sum that tells whether all of it came stands at the very end."""
        while self.read(_PIECE_BYTES):
            pass


def _unpacked(head: bytes, received: BinaryIO) -> BinaryIO:
    if head.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.GzipFile(fileobj=received))
    if head.startswith(b"BZh"):
        return cast("BinaryIO", bz2.BZ2File(received))
    if head.startswith(b"\xfd7zXZ\0"):
        return cast("BinaryIO", lzma.LZMAFile(received))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        raise UserError(
            "the tar is compressed with zstd, which is not understood here",
            "zstd -dc data.tar.zst | ssh deploy disks:import APP DISK",
        )
    return received


_END_OF_TAR: type[Exception] = tarfile.EOFHeaderError  # type: ignore[attr-defined]
_BROKEN = (tarfile.TarError, ValueError, ArithmeticError, LookupError, RecursionError)
"""What tarfile raises for what nobody has made who meant well."""


class _Member(tarfile.TarInfo):
    """An entry. Only the zeros at the end of a tar may end it: tarfile itself takes whatever it
    cannot read for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.size < 0:
            raise UserError("the tar is damaged: an entry has less than nothing in it", _HINT)
        return found

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile)
        except _END_OF_TAR:
            raise
        except _BROKEN as error:
            raise UserError(_what_is_wrong(str(error), tarfile.offset), _HINT) from error


def _what_is_wrong(said: str, offset: int) -> str:
    if "empty" in said or "truncated" in said:
        return "the tar is cut short" if offset else "nothing was sent: there is no tar"
    return f"the tar is damaged: {said}" if offset else "the data that was sent is no tar"


@contextmanager
def _broken_told() -> "Iterator[None]":
    try:
        yield
    except _BROKEN as error:
        raise UserError(f"the tar is damaged or cut short: {error}", _HINT) from error


class _Tree:
    """The new tree. Directories get their modes last, for they may forbid to write into them."""

    def __init__(self, root: int) -> None:
        self.entries = 0
        self.size_bytes = 0
        self._root = root
        self._room = _Room(root)
        self._way: list[tuple[str, ExitStack, int]] = []
        """The open directories on the way to the last entry."""
        self._directories: dict[str, tuple[int, float]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._go_back_to(0)

    def add(self, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        self.entries += 1
        parts = _parts_of(member.name)
        if not parts:
            return
        self._room.check(sum(size for _, size in _filled(member)) + _BLOCK_BYTES)
        try:
            self._add(parts, member, tar)
        except (OSError, ValueError) as error:
            raise _cannot_be_made(member, error) from error

    def finish(self) -> None:
        """Below first: what is above may not be writable afterwards."""
        self._go_back_to(0)
        for path in sorted(self._directories, reverse=True):
            mode, mtime = self._directories[path]
            *above, name = path.split("/")
            with directory(name, self._descend(above)) as opened:
                os.utime(opened, (mtime, mtime))
                os.fchmod(opened, mode)
            self._go_back_to(len(above))

    def _add(self, parts: list[str], member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        *above, name = parts
        if member.isdir():
            self._descend(parts)
            mode = stat.S_IMODE(member.mode) & 0o777 | _GROUP_STAYS
            self._directories["/".join(parts)] = mode, _time_of(member)
            return
        within = self._descend(above)
        _make_way(name, within)
        if member.isreg():
            self._file(name, within, member, tar)
        elif member.issym():
            os.symlink(member.linkname, name, dir_fd=within)
            times = _time_of(member), _time_of(member)
            os.utime(name, times, dir_fd=within, follow_symlinks=False)
        elif member.islnk():
            self._another_name(name, within, member)
        elif member.isfifo():
            os.mkfifo(name, stat.S_IMODE(member.mode) & 0o777, dir_fd=within)
        else:
            raise UserError(f"{member.name[:80]} is a device, or what else no disk has", _TAR_HINT)

    def _file(self, name: str, within: int, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        """Without the bits that would let it run as somebody else; holes stay holes."""
        if tar.fileobj is None:
            raise AssertionError("it is being read")
        tar.fileobj.seek(member.offset_data)
        with new_file(name, within) as made:
            for offset, size in _filled(member):
                os.lseek(made, offset, os.SEEK_SET)
                _copy_bytes(tar.fileobj, made, size)
            os.ftruncate(made, member.size)
            os.fchmod(made, stat.S_IMODE(member.mode) & 0o777)
            os.utime(made, (_time_of(member), _time_of(member)))
        self.size_bytes += member.size

    def _another_name(self, name: str, within: int, member: tarfile.TarInfo) -> None:
        """Of a file that has come before; the way to it is a way of its own."""
        *above, first = _parts_of(member.linkname) or [""]
        with ExitStack() as opened:
            place = self._root
            for each in above:
                place = opened.enter_context(directory(each, place))
            os.link(first, name, src_dir_fd=place, dst_dir_fd=within, follow_symlinks=False)

    def _descend(self, parts: list[str]) -> int:
        """The directory of that path, made where it is missing. No link is followed."""
        same = 0
        while same < min(len(parts), len(self._way)) and self._way[same][0] == parts[same]:
            same += 1
        self._go_back_to(same)
        for name in parts[same:]:
            within = self._way[-1][2] if self._way else self._root
            if look(name, within) is None:
                os.mkdir(name, 0o2700, dir_fd=within)
                path = "/".join([*(each for each, _, _ in self._way), name])
                self._directories.setdefault(path, (0o2750, 0.0))
            opened = ExitStack()
            self._way.append((name, opened, opened.enter_context(directory(name, within))))
        return self._way[-1][2] if self._way else self._root

    def _go_back_to(self, depth: int) -> None:
        while len(self._way) > depth:
            self._way.pop()[1].close()


class _Room:
    """What is left on the file system, of which an import takes no more than it may."""

    def __init__(self, within: int) -> None:
        self._within = within
        status = os.fstatvfs(within)
        self._kept_bytes = min(_MOST_KEPT_BYTES, status.f_blocks * status.f_frsize // 20)
        self._kept_files = status.f_files // 20

    def check(self, needed_bytes: int) -> None:
        """Before it is written: a bomb must not take the room that other apps live on."""
        status = os.fstatvfs(self._within)
        free = status.f_bavail * status.f_frsize
        if needed_bytes > free - self._kept_bytes:
            raise NoRoom(
                f"the import does not fit: {about_bytes(needed_bytes)} more were to be written,"
                f" {about_bytes(free)} are free, and {about_bytes(self._kept_bytes)} must stay so",
                _ROOM_HINT,
            )
        if status.f_files and status.f_favail <= self._kept_files:
            raise NoRoom("the import has more files than the file system can hold", _ROOM_HINT)


@contextmanager
def _full_told() -> "Iterator[None]":
    """Others write too: it may run full all the same."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoom("the import does not fit: the file system is full", _ROOM_HINT) from error


def _parts_of(name: str) -> list[str]:
    """Below the root of the tar. ``UserError`` for a name that leads out of it."""
    if name.startswith("/"):
        raise UserError(f"{name[:80]} is an absolute path, which no disk has", _TAR_HINT)
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise UserError(f"{name[:80]} leads out of the disk", _TAR_HINT)
    if len(parts) > MOST_DEPTH:
        raise UserError(f"directories lie more than {MOST_DEPTH} deep: {name[:40]}…", _TAR_HINT)
    return parts


def _filled(member: tarfile.TarInfo) -> list[tuple[int, int]]:
    """(offset, size) of what the tar has of a file; all of it, unless it has holes."""
    if not member.isreg():
        return []
    sparse: list[tuple[int, int]] | None = getattr(member, "sparse", None)
    parts = [(0, member.size)] if sparse is None else sparse
    if any(number < 0 for part in parts for number in part):
        raise UserError(f"the tar is damaged: the holes of {member.name[:80]}", _HINT)
    return parts


def _time_of(member: tarfile.TarInfo) -> float:
    """Of the times that a tar can tell, those that a file can have."""
    return member.mtime if 0 <= member.mtime < _MOST_SECONDS else 0.0


def _copy_bytes(source: object, target: int, size_bytes: int) -> None:
    left = size_bytes
    while left:
        data = cast("BinaryIO", source).read(min(left, _PIECE_BYTES))
        if not data:
            raise UserError("the tar is cut short: it ends within a file", _HINT)
        left -= len(data)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(target, rest) :]


def _make_way(name: str, within: int) -> None:
    """What comes later in a tar takes the place of what came before; but not of a directory."""
    present = look(name, within)
    if present is not None:
        if stat.S_ISDIR(present.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a directory already")
        os.unlink(name, dir_fd=within)


def _cannot_be_made(member: tarfile.TarInfo, error: OSError | ValueError) -> Exception:
    if isinstance(error, OSError) and error.errno in _FULL | {errno.EIO}:
        return error
    if isinstance(error, OSError) and error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return UserError(
            f"{member.name[:80]!r} leads through a name that is no directory", _TAR_HINT
        )
    why = error.strerror if isinstance(error, OSError) else error
    return UserError(f"{member.name[:80]!r} cannot be made: {why}", _TAR_HINT)


if __name__ == "__main__":
    main()
