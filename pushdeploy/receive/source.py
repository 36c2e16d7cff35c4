"""Reads the tree of one commit through git children: nothing is ever checked out on the host."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from pushdeploy.domain.errors import BuildFailed, UserError
from pushdeploy.domain.names import CommitId
from pushdeploy.domain.source import TreeEntry
from pushdeploy.receive.git import Git, GitFailed, kill, running
from pushdeploy.receive.messages import said_by_git
from pushdeploy.receive.tree_checks import too_many_files

DIRECTORY = 0o040000
READ_BYTES = 16 * 1024**2
"""What ``read`` takes into memory at the most: a Procfile, a lock file."""


class GitSource:
    """A ``GitSource`` implements the port ``SourceReader``.

    ``keep`` makes the objects permanent in the repository.
    """

    def __init__(self, git: Git, commit: CommitId, keep: Callable[[], None]) -> None:
        self._git = git
        self._commit = commit
        self._keep = keep
        self._listing: tuple[TreeEntry, ...] | None = None

    def entries(self) -> Sequence[TreeEntry]:
        """Raise ``UserError`` when there are more files, or directories, than the limits allow."""
        return [entry for entry in self._listed() if entry.mode != DIRECTORY]

    def directories(self) -> Sequence[TreeEntry]:
        """List every directory below the root, as ``entries`` lists the files."""
        return [entry for entry in self._listed() if entry.mode == DIRECTORY]

    def read(self, path: str) -> bytes | None:
        """Raise ``UserError`` where the file is too large to be what is looked for."""
        found = next((entry for entry in self.entries() if entry.path == path), None)
        if found is None or found.size_bytes is None:
            return None
        if found.size_bytes > READ_BYTES:
            raise UserError(f"{path} is larger than {READ_BYTES:,} bytes")
        return self._git.read("cat-file", "blob", found.object_id)

    @contextmanager
    def archive(self, paths: Iterable[str] = ()) -> Iterator[BinaryIO]:
        arguments = ("archive", "--format=tar", self._commit, "--", *paths)
        pipe = subprocess.PIPE
        with running(self._git.start(*arguments, stderr=pipe)) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            yield cast("BinaryIO", child.stdout)
            if child.stdout.closed or child.stdout.read(1):
                kill(child)  # the reader has seen enough
                return
            complaints = child.stderr.read()
        if child.returncode != 0:
            raise BuildFailed(
                f"the source cannot be read: {said_by_git(complaints) or 'git archive failed'}",
                "push again",
            )

    def descends_from(self, commit: CommitId) -> bool:
        try:
            self._git.read("merge-base", "--is-ancestor", commit, self._commit)
        except GitFailed:
            return False
        return True

    def keep(self) -> None:
        self._keep()
        self._git = self._git.outside()

    def _listed(self) -> Sequence[TreeEntry]:
        """Read once."""
        if self._listing is None:
            self._listing = tuple(self._list())
        return self._listing

    def _list(self) -> Iterator[TreeEntry]:
        """Stops at the limit: a small tree of trees can hold more entries than there are atoms.

        Directories count too, for those could all be empty.
        """
        most = self._git.limits.tree_files
        counts: Counter[bool] = Counter()
        with running(self._git.start("ls-tree", "-r", "-t", "-z", "-l", self._commit)) as child:
            assert child.stdout is not None
            for line in _records(child.stdout):
                entry = _entry(line)
                counts[entry.mode == DIRECTORY] += 1
                if max(counts.values()) > most:
                    raise too_many_files(most)
                yield entry
        if child.returncode != 0:
            raise BuildFailed(f"the tree of {self._commit.short} cannot be read")


def _records(stream: IO[bytes]) -> Iterator[bytes]:
    """The pieces between NULs."""
    rest = b""
    while data := stream.read(65536):
        *whole, rest = (rest + data).split(b"\0")
        yield from whole


def _entry(line: bytes) -> TreeEntry:
    """``100644 blob <id>    1234\tpath``; a submodule's size is a dash."""
    facts, _, path = line.partition(b"\t")
    mode, _, object_id, size = facts.split()
    return TreeEntry(
        mode=int(mode, 8),
        object_id=object_id.decode("ascii"),
        size_bytes=None if size == b"-" else int(size),
        path=path.decode("utf-8", "surrogateescape"),
    )
