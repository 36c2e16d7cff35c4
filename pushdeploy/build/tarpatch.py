"""A tar stream is rewritten on its way into an image: owner, mode, prefix; escapes are refused."""

import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from pushdeploy.domain.chunks import Readable
from pushdeploy.domain.errors import BuildFailed

_BLOCK_BYTES = tarfile.BLOCKSIZE
_CHUNK_BYTES = 256 * 1024
END = bytes(2 * _BLOCK_BYTES)
"""What an archive ends with."""


Notice = Callable[[str], None]
"""Is told a name."""


def unnoticed(_name: str) -> None:
    """Let a name pass."""


@dataclass(frozen=True, slots=True)
class TarPatch:
    """Every member becomes this. ``prefix`` ends with a slash or is empty.

    Files get ``file_mode``, and the bits of ``executable_mode`` too where their owner may execute
    them; set-uid, set-gid and extended attributes never survive. Times stay: browsers and
    bytecode rely on them.
    """

    user: int
    group: int
    directory_mode: int
    file_mode: int
    executable_mode: int
    prefix: str = ""


def members(stream: Readable, patch: TarPatch, seen: Notice = unnoticed) -> Iterator[bytes]:
    """An archive with ``patch`` applied, as chunks, without its end; ``seen`` is told new names.

    The members of several archives and one ``END`` are one archive. ``BuildFailed`` when a member
    would land outside of the prefix, lies beneath a symbolic link of the same archive, or is
    neither file, directory nor link.
    """
    links: set[str] = set()
    try:
        with tarfile.open(fileobj=stream, mode="r|*", bufsize=_CHUNK_BYTES) as archive:  # type: ignore[call-overload] # it only reads
            while (member := archive.next()) is not None:
                archive.members = []  # else the headers of a large archive pile up in memory
                _check(member, links)
                seen(member.name)
                body = archive.extractfile(member) if member.isreg() else None
                yield _header(member, patch)
                if body is not None:
                    yield from _body(body, member.size)
    except tarfile.TarError as error:
        raise BuildFailed(f"the archive cannot be read: {error}", "push again") from error


def tar_of(files: Iterable[tuple[str, bytes]], patch: TarPatch) -> bytes:
    """A small archive of files given by name, with their directories and ``patch`` applied."""
    made: set[str] = set()
    parts: list[bytes] = []
    for name, data in files:
        for directory in _parents(name):
            if directory not in made:
                made.add(directory)
                folder = tarfile.TarInfo(directory)
                folder.type = tarfile.DIRTYPE
                parts.append(_header(folder, patch))
        member = tarfile.TarInfo(name)
        member.size = len(data)
        parts += [_header(member, patch), data, bytes(-len(data) % _BLOCK_BYTES)]
    return b"".join([*parts, END])


def first_file(stream: Readable, most_bytes: int) -> bytes:
    """The bytes of an archive's first file, ``most_bytes`` of them at the most."""
    with tarfile.open(fileobj=stream, mode="r|*") as archive:  # type: ignore[call-overload] # it only reads
        member = archive.next()
        body = archive.extractfile(member) if member is not None else None
        return body.read(most_bytes) if body is not None else b""


def _check(member: tarfile.TarInfo, links: set[str]) -> None:
    name = member.name
    if _escapes(name) or (member.islnk() and _escapes(member.linkname)):
        raise BuildFailed(f"the archive has a path that leads outside: {name[:200]!r}")
    if any(parent in links for parent in _parents(name)):
        raise BuildFailed(f"the archive has a file beneath a symbolic link: {name[:200]!r}")
    if member.issym():
        links.add(name)
    elif not (member.isreg() or member.isdir() or member.islnk()):
        raise BuildFailed(f"the archive has something other than files: {name[:200]!r}")


def _escapes(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/") or "\0" in name


def _parents(name: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(name).parents][-2::-1]


def _header(member: tarfile.TarInfo, patch: TarPatch) -> bytes:
    member.name = patch.prefix + member.name.removeprefix("./")
    if member.islnk():
        member.linkname = patch.prefix + member.linkname.removeprefix("./")
    member.uid, member.gid, member.uname, member.gname = patch.user, patch.group, "", ""
    member.mode = _mode(member, patch)
    member.mtime = int(member.mtime)
    member.type = tarfile.REGTYPE if member.isreg() else member.type
    member.pax_headers = {}
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _mode(member: tarfile.TarInfo, patch: TarPatch) -> int:
    if member.isdir():
        return patch.directory_mode
    if member.issym():
        return 0o777
    return patch.executable_mode if member.mode & 0o100 else patch.file_mode


def _body(body: Readable, size_bytes: int) -> Iterator[bytes]:
    left = size_bytes
    while left:
        chunk = body.read(min(left, _CHUNK_BYTES))
        if not chunk:
            raise BuildFailed("the archive ends in the middle of a file", "push again")
        left -= len(chunk)
        yield chunk
    yield bytes(-size_bytes % _BLOCK_BYTES)
