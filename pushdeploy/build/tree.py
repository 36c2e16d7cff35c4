"""Detection sees of a source the names of its files and the text of a few of them.

Symbolic links are followed within the tree, for every file that is read and in this one place.
"""

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.links import LeadsOut, LeadsRound, followed
from pushdeploy.domain.source import SourceReader

_MOST_BYTES = 16 * 1024 * 1024
_LINK_MODE = 0o120000
NO_DATA = frozenset({"docs", "fixtures", "test", "tests"})
"""Directories in which nothing lies that an app works with."""

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The longer ones first: one begins like another."""


@dataclass(frozen=True, slots=True)
class Tree:
    """``paths`` are all files, the symbolic ``links`` among them; ``reader`` gives their bytes."""

    paths: frozenset[str]
    links: frozenset[str]
    reader: SourceReader

    @classmethod
    def of(cls, reader: SourceReader) -> "Tree":
        entries = reader.entries()
        links = frozenset(entry.path for entry in entries if entry.mode == _LINK_MODE)
        return cls(frozenset(entry.path for entry in entries), links, reader)

    @property
    def root(self) -> Sequence[str]:
        """Names in the top directory, those of directories with a slash at the end."""
        names = {
            head + ("/" if slash else "")
            for head, slash, _rest in (path.partition("/") for path in self.paths)
        }
        return sorted(names)

    def has(self, path: str) -> bool:
        return path in self.paths

    def first(self, paths: Iterable[str]) -> str | None:
        """The first of ``paths`` that is there."""
        return next((path for path in paths if path in self.paths), None)

    def read(self, path: str) -> bytes:
        """The bytes of a file, at the end of its links.

        ``BuildFailed`` when it is missing or absurdly large, or its links lead nowhere good.
        """
        found = self.located(path)
        data = self.reader.read(found)
        if data is None:
            raise self._missing(path, found)
        if len(data) > _MOST_BYTES:
            raise BuildFailed(f"{path} is larger than {_MOST_BYTES // 1024**2} MB")
        return data

    def located(self, path: str) -> str:
        """The file at the end of the links of ``path``; ``BuildFailed`` where there is none."""
        found = self._followed(path)
        if found not in self.paths:
            raise self._missing(path, found)
        return found

    def _followed(self, path: str) -> str:
        """Where ``path`` leads, links in its directories and chains of links included."""
        try:
            return followed(path, self._target_of)
        except LeadsOut as found:
            raise _leads_out(path, found.target) from found
        except LeadsRound as found:
            raise BuildFailed(
                f"{path} is a symbolic link that leads back to itself",
                f"put a file in its place:  git rm {path} , commit and push",
            ) from found

    def _target_of(self, path: str) -> str | None:
        if path not in self.links:
            return None
        return (self.reader.read(path) or b"").decode("utf-8", "surrogateescape")

    def text(self, path: str) -> str:
        """A file as text: UTF-8, or what its byte order mark says, which is left out.

        ``BuildFailed`` when it is neither.
        """
        data = self.read(path)
        encoding = next(
            (name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)),
            "utf-8-sig",
        )
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            raise BuildFailed(
                f"{path} is not UTF-8 text: byte {error.start} is wrong", "save it as UTF-8"
            ) from error

    def _missing(self, path: str, found: str) -> BuildFailed:
        if found == path:
            return BuildFailed(f"{path} is not in the commit", f"git add {path}, commit and push")
        if any(other.startswith(f"{found}/") for other in self.paths) or not found:
            return BuildFailed(
                f"{path} is a symbolic link to a directory: {found or '.'}",
                "let it lead to a file, commit and push",
            )
        return BuildFailed(
            f"{path} is a symbolic link to {found}, which is not in the commit",
            f"git add {found}, commit and push",
        )

    def named(self, name: str, depth: int) -> Sequence[str]:
        """Paths of files called ``name``, ``depth`` directories down at most, shallow first."""
        found = [path for path in self.paths if PurePosixPath(path).name == name]
        return sorted(
            (path for path in found if path.count("/") <= depth),
            key=lambda path: (path.count("/"), path),
        )


def _leads_out(path: str, target: str = "") -> BuildFailed:
    to = f" to {target}" if target else ""
    return BuildFailed(
        f"{path} is a symbolic link{to} that leads out of the source",
        "let it lead to a file of the repository by a relative path, commit and push",
    )
