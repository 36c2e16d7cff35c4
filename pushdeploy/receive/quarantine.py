"""The objects of a push stay in a quarantine until the push is accepted."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pushdeploy.domain.names import CommitId
from pushdeploy.receive.git import Git
from pushdeploy.receive.limits import PackLimits

FOLDER = "quarantine"
_IN_ORDER = (".pack", ".rev", ".idx")
"""The index last: git finds a pack by its index."""


class Quarantine:
    """An object directory lies on the repository's own file system until ``opened`` ends."""

    def __init__(
        self, repository: Path, limits: PackLimits, add_shallow: Callable[[set[CommitId]], None]
    ) -> None:
        """``add_shallow`` writes into the repository's own list of shallow commits."""
        self.directory = repository / FOLDER / secrets.token_hex(8)
        self.repository = Git(repository, limits)
        self.shallow_commits: set[CommitId] = set()
        self._add_shallow = add_shallow
        self._shallow_file: Path | None = None

    @contextmanager
    def opened(self) -> Iterator["Quarantine"]:
        (self.directory / "pack").mkdir(parents=True)
        try:
            yield self
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def git(self) -> Git:
        """Return a git that sees the repository's objects and those of the quarantine."""
        return Git(
            self.repository.directory,
            self.repository.limits,
            quarantine=self.directory,
            shallow=self._shallow_file,
        )

    def assume_shallow(self, commits: set[CommitId]) -> None:
        """Count ``commits`` as commits without parents, beside the repository's own."""
        former = self.repository.directory / "shallow"
        known = former.read_text() if former.exists() else ""
        self._shallow_file = self.directory / "shallow"
        self._shallow_file.write_text(known + "".join(f"{commit}\n" for commit in sorted(commits)))

    def assume_whole(self) -> None:
        """Count only the repository's own shallow commits as commits without parents."""
        self._shallow_file = None

    def move_in(self) -> None:
        """Give the objects to the repository; nothing happens the second time."""
        target = self.repository.directory / "objects" / "pack"
        for ending in _IN_ORDER:
            for file in (self.directory / "pack").glob(f"pack-*{ending}"):
                file.rename(target / file.name)
        if self.shallow_commits:
            self._add_shallow(self.shallow_commits)
            self.shallow_commits = set()


def sweep(repository: Path) -> None:
    """Remove the files of pushes that were cut off together with the server."""
    shutil.rmtree(repository / FOLDER, ignore_errors=True)
    for leftover in (repository / "objects" / "pack").glob("tmp_*"):
        leftover.unlink(missing_ok=True)
    for lock in (*repository.glob("*.lock"), *(repository / "refs").rglob("*.lock")):
        lock.unlink(missing_ok=True)
