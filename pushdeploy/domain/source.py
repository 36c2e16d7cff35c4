"""A source: the tree of a commit, read where git keeps it, never checked out on the host."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from pushdeploy.domain.names import AppName, CommitId, TreeId


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A line of ``git ls-tree -r -l``: ``mode`` as in git, ``size_bytes`` None for a submodule."""

    mode: int
    object_id: str
    size_bytes: int | None
    path: str


class SourceReader(Protocol):
    """Reads one commit's tree, from a quarantine or from the repository."""

    def entries(self) -> Sequence[TreeEntry]:
        """Every file of the tree, in git's order."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, or None where there is none."""

    def archive(self, paths: Iterable[str] = ()) -> AbstractContextManager[BinaryIO]:
        """A tar stream as of ``git archive``, of the whole tree or of ``paths``.

        The child process ends with the context; a failed child raises ``BuildFailed``.
        """

    def descends_from(self, commit: CommitId) -> bool:
        """Tell whether ``commit`` is in the history of this one, or is this one."""

    def keep(self) -> None:
        """Make the objects permanent, under a private ref, before anything depends on them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source is the tree of a commit of an app."""

    app: AppName
    commit: CommitId
    tree: TreeId
    reader: SourceReader
