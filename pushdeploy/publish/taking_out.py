"""The files of a folder are taken out of a tar stream that an app's own code may have shaped.

Only plain files and directories are ever made while the stream is read, so no name in it can lead
elsewhere. Links come last, and only those that end inside the folder.
"""

import hashlib
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pushdeploy.domain.chunks import Readable
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.links import LeadsOut, LeadsRound, followed
from pushdeploy.domain.static.files import MOST_RULE_BYTES, RULE_FILES, TOP, is_public
from pushdeploy.domain.static.site_rules import SiteRules
from pushdeploy.publish.manifest import FileEntry, LinkEntry, Manifest, mtime_of

_CHUNK_BYTES = 256 * 1024
_SHOWN = 5


@dataclass(slots=True)
class TakenOut:
    """These files lie in a directory now; ``left_out`` says of what else there was why it is not
    served. ``texts`` are the files that say how to serve the others, by their names, and ``rules``
    what was made of them.
    """

    manifest: Manifest
    left_out: list[str]
    texts: Mapping[str, bytes] = field(default_factory=dict)
    rules: SiteRules = field(default_factory=SiteRules)


def take_out(stream: Readable, folder: str, target: Path) -> TakenOut:
    """Write the files of a tar of ``folder``, an absolute path, into the empty ``target``.

    ``BuildFailed`` for a name that leads outside. Every file gets mode 0644 and the time that its
    content alone decides, every directory 0755.
    """
    taking = _Taking(folder.rstrip("/"), target)
    target.mkdir(mode=0o755)
    target.chmod(0o755)
    try:
        with tarfile.open(fileobj=stream, mode="r|*", bufsize=_CHUNK_BYTES) as archive:  # type: ignore[call-overload] # it only reads
            while (member := archive.next()) is not None:
                archive.members = []  # else the headers of a large archive pile up in memory
                taking.take(member, archive)
        return taking.finish()
    except (tarfile.TarError, UnicodeError) as error:
        raise BuildFailed(f"the files of {folder} cannot be read: {error}", "push again") from error
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise BuildFailed(f"{folder} holds a name twice: {error.filename}") from error


@dataclass(slots=True)
class _Taking:
    """The stream is on its way: paths are relative to the folder, and never empty."""

    folder: str
    target: Path
    files: dict[str, FileEntry] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    directories: set[str] = field(default_factory=lambda: {""})
    left_out: list[str] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    hidden: int = 0

    def take(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        path = _below_top(member.name)
        if not path:
            self._check_top(member)
        elif member.isdir():
            pass  # made with the first file in it
        elif not is_public(path, top=self.folder == TOP):
            self._keep_back(path, member, archive)
        elif member.isreg():
            body = archive.extractfile(member)
            assert body is not None
            self.files[path] = self._write(path, body)
        elif member.islnk():
            self._link_to_file(path, _below_top(member.linkname))
        elif member.issym():
            self.links[path] = member.linkname
        else:
            self.left_out.append(f"{path!r} is no file")

    def finish(self) -> TakenOut:
        """Make the links that end inside, each leading straight to what it means."""
        found = {}
        for path, target in sorted(self.links.items()):
            end = self._end_of(path)
            if end is None or end == "":
                self.left_out.append(f"{path!r} is a link to {target!r}, outside of the folder")
            elif end not in self.files and end not in self.directories:
                self.left_out.append(f"{path!r} is a link to {target!r}, which is not there")
            elif end in self.directories and f"{path}/".startswith(f"{end}/"):
                self.left_out.append(f"{path!r} is a link to a directory around it")
            else:
                found[path] = self._make_link(path, end)
        if self.hidden:
            many = "1 file" if self.hidden == 1 else f"{self.hidden:,} files"
            self.left_out.append(
                f"{many} with a dot in front of a name, or of the repository's own"
            )
        return TakenOut(Manifest(self.files, found), self.left_out, self.texts)

    def _keep_back(self, path: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        """What visitors may not have is never written where nginx could find it."""
        if path not in RULE_FILES:
            self.hidden += 1
        elif member.isreg():
            body = archive.extractfile(member)
            assert body is not None
            self.texts[path] = body.read(MOST_RULE_BYTES + 1)

    def _check_top(self, member: tarfile.TarInfo) -> None:
        if member.issym():
            raise BuildFailed(
                f"{self.folder} is a symbolic link", f"name the folder itself: {member.linkname}"
            )
        if not member.isdir():
            raise BuildFailed(f"{self.folder} is no folder", "name a folder to publish")

    def _write(self, path: str, body: IO[bytes]) -> FileEntry:
        """By plain calls of the system: there may be a hundred thousand files."""
        digest, size = hashlib.sha256(), 0
        where = self._place(path)
        handle = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        try:
            while chunk := body.read(_CHUNK_BYTES):
                digest.update(chunk)
                _write_all(handle, chunk)
                size += len(chunk)
            entry = FileEntry(digest.hexdigest(), size)
            moment = mtime_of(entry.digest)
            os.fchmod(handle, 0o644)
            os.utime(handle, (moment, moment))
        finally:
            os.close(handle)
        return entry

    def _link_to_file(self, path: str, first: str) -> None:
        """A second name of a file that came before: the same file, as it was."""
        if first not in self.files:
            self.left_out.append(f"{path!r} is another name of a file outside of the folder")
            return
        Path(self._place(path)).hardlink_to(self.target / first)
        self.files[path] = self.files[first]

    def _place(self, path: str) -> str:
        """Where a file goes, with its directories made."""
        parent = path.rpartition("/")[0]
        if parent not in self.directories:
            made = ""
            for name in parent.split("/"):
                made = f"{made}/{name}".lstrip("/")
                if made not in self.directories:
                    (self.target / made).mkdir(mode=0o755)
                    (self.target / made).chmod(0o755)
                    self.directories.add(made)
        return f"{self.target}/{path}"

    def _end_of(self, path: str) -> str | None:
        """Where a link leads, by way of other links; None where that is outside, or nowhere."""
        with suppress(LeadsOut, LeadsRound):
            return followed(path, self.links.get, self._inside)
        return None

    def _inside(self, target: str) -> str | None:
        """An absolute path of the image as one below the folder; None for one elsewhere."""
        is_inside = f"{target}/".startswith(f"{self.folder}/")
        return target[len(self.folder) :] if is_inside else None

    def _make_link(self, path: str, end: str) -> LinkEntry:
        where = Path(self._place(path))
        target = os.path.relpath(self.target / end, where.parent)
        where.symlink_to(target)
        return LinkEntry(target)


def shown(left_out: list[str]) -> Iterator[str]:
    """The first few of the reasons, and how many more there are."""
    yield from left_out[:_SHOWN]
    if len(left_out) > _SHOWN:
        yield f"and {len(left_out) - _SHOWN} more"


def _write_all(handle: int, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[os.write(handle, left) :]


def _below_top(name: str) -> str:
    """The path of a member below the folder, whose own name stands in front; empty for itself.

    ``BuildFailed`` when it leads anywhere else.
    """
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise BuildFailed(f"the image has a path that leads outside: {name[:200]!r}")
    return "/".join(parts[1:])
