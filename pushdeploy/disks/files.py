"""Looks at the files of an app's disk without being led out of it.

The app may swap a name for a link or a device at any moment while a server that is root looks: so
every name is taken within an open directory, links are never followed, and nothing is opened
before its inode is known to be a plain file.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pushdeploy.domain.errors import UserError

CopyBytes = Callable[[int, int, int], None]
"""``copy_bytes(source, target, size_bytes)`` copies one open file into another, empty one."""

MOST_DEPTH = 200
"""Directories inside one another; some descriptors each are held open on the way down."""

_AS_ROOT = os.geteuid() == 0
_READING = os.O_RDONLY | (os.O_NOATIME if _AS_ROOT else 0)
"""A read leaves no trace; without O_NOATIME for others, who may use it on their own files only."""

_KEPT_ATTRIBUTES = ("user.", "system.posix_acl_")


class NotPlainError(OSError):
    """The name was a plain file or a directory a moment ago, and is another kind of file now."""


GONE = (FileNotFoundError, NotADirectoryError, NotPlainError)
"""What an app that goes on writing does to a name between one look and the next."""


def check_depth(depth: int, path: str) -> None:
    if depth > MOST_DEPTH:
        raise UserError(
            f"directories lie more than {MOST_DEPTH} deep in one another: {path[:40]}…",
            "remove what the app should not have made: run APP find $DISK_PATH -depth",
        )


@contextmanager
def directory(name: str | Path, within: int | None = None) -> Iterator[int]:
    """Open a directory that is no link, and give its descriptor."""
    opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
    try:
        yield opened
    finally:
        os.close(opened)


@contextmanager
def plain_file(name: str, within: int, *, writable: bool = False) -> Iterator[int]:
    """Open a regular file, or raise ``NotPlainError`` for anything else.

    The inode is pinned and looked at first, for opening a device has effects of its own.
    """
    pinned = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=within)
    try:
        if not stat.S_ISREG(os.fstat(pinned).st_mode):
            raise NotPlainError(errno.EINVAL, "it is no file any more", name)
        opened = os.open(f"/proc/self/fd/{pinned}", os.O_RDWR if writable else _READING)
    finally:
        os.close(pinned)
    try:
        yield opened
    finally:
        os.close(opened)


@contextmanager
def new_file(name: str, within: int) -> Iterator[int]:
    """Make a file that is for us alone until ``dress`` says otherwise."""
    made = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=within)
    try:
        yield made
    finally:
        os.close(made)


def make_directory(name: str, within: int, opened: ExitStack) -> int:
    """Make a directory that is for us alone until ``dress`` says otherwise: its descriptor."""
    os.mkdir(name, 0o700, dir_fd=within)
    return opened.enter_context(directory(name, within))


def link_within(root: int, first: str, name: str, within: int) -> bool:
    """Make ``name`` another name of the file at the path ``first`` below ``root``, if it can be."""
    try:
        with parent_of(first, root) as (parent, last):
            os.link(last, name, src_dir_fd=parent, dst_dir_fd=within, follow_symlinks=False)
    except OSError:
        return False
    return True


@contextmanager
def parent_of(path: str, root: int) -> Iterator[tuple[int, str]]:
    """Open the directory of ``path`` below ``root`` without following links; give the last name."""
    *above, last = path.split("/")
    with ExitStack() as opened:
        parent = root
        for name in above:
            parent = opened.enter_context(directory(name, parent))
        yield parent, last


def names_in(within: int) -> list[str]:
    return os.listdir(within)


def look(name: str, within: int) -> os.stat_result | None:
    """Return the status of the name itself, or None when there is nothing."""
    try:
        return os.stat(name, dir_fd=within, follow_symlinks=False)
    except FileNotFoundError:
        return None


class Owners:
    """Copies keep the owners of their files, but for the ids that have a new one."""

    def __init__(self, uids: Mapping[int, int], gids: Mapping[int, int]) -> None:
        self._uids = uids
        self._gids = gids

    def of(self, status: os.stat_result) -> tuple[int, int]:
        uid, gid = status.st_uid, status.st_gid
        return self._uids.get(uid, uid), self._gids.get(gid, gid)


SAME_OWNERS = Owners({}, {})


def dress(source: int, target: int, status: os.stat_result, owners: Owners = SAME_OWNERS) -> None:
    """Give an open file or directory the owner, mode, attributes and times of another.

    Owners only by root. A file loses its set-id bits: who runs a copy gets nobody's rights by it.
    """
    if _AS_ROOT:
        os.fchown(target, *owners.of(status))
    os.fchmod(target, _mode_of(status))
    with suppress(OSError):  # a file system without them, or one that takes others only
        wanted = [name for name in os.listxattr(source) if name.startswith(_KEPT_ATTRIBUTES)]
        for name in os.listxattr(target):
            if name.startswith(_KEPT_ATTRIBUTES) and name not in wanted:
                os.removexattr(target, name)
        for name in wanted:
            os.setxattr(target, name, os.getxattr(source, name))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _mode_of(status: os.stat_result) -> int:
    """As imports have it; on a directory the bits say only whose the files in it become."""
    mode = stat.S_IMODE(status.st_mode)
    return mode if stat.S_ISDIR(status.st_mode) else mode & ~(stat.S_ISUID | stat.S_ISGID)


def copy_special(
    name: str, source: int, target: int, status: os.stat_result, owners: Owners = SAME_OWNERS
) -> None:
    """Copy a link as a link, a fifo as a fifo; programs make their sockets anew."""
    if stat.S_ISLNK(status.st_mode):
        os.symlink(_destination(name, source), name, dir_fd=target)
    elif stat.S_ISFIFO(status.st_mode):
        os.mkfifo(name, 0o600, dir_fd=target)
    else:
        return
    _dress_name(name, target, status, owners)


def _destination(name: str, within: int) -> str:
    """Where a link leads; ``NotPlainError`` when it is none any more, which is EINVAL there."""
    try:
        return os.readlink(name, dir_fd=within)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise NotPlainError(name) from error
        raise


def _dress_name(name: str, within: int, status: os.stat_result, owners: Owners) -> None:
    """The same for what is never opened: a link, whose mode means nothing, or a fifo."""
    pinned = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=within)
    try:
        if _AS_ROOT:
            uid, gid = owners.of(status)
            os.chown(name, uid, gid, dir_fd=within, follow_symlinks=False)
        if not stat.S_ISLNK(os.fstat(pinned).st_mode):
            Path(f"/proc/self/fd/{pinned}").chmod(_mode_of(status))
    finally:
        os.close(pinned)
    times = (status.st_atime_ns, status.st_mtime_ns)
    os.utime(name, ns=times, dir_fd=within, follow_symlinks=False)


def remove(name: str, within: int, status: os.stat_result) -> None:
    """Remove a name with all that is below it."""
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=within)
        return
    # By rm, which no depth of directories breaks.
    place = f"/proc/{os.getpid()}/fd/{within}/{name}"
    command = ["rm", "--recursive", "--force", "--one-file-system", "--", place]
    remover = os.posix_spawnp("rm", command, {})
    if os.waitpid(remover, 0)[1]:
        raise OSError(errno.EIO, "it cannot be removed", name)
