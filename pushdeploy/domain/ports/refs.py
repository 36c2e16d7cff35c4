"""The port of the apps' repositories, as the flow sees them."""

from typing import Protocol

from pushdeploy.domain.history import Divergence
from pushdeploy.domain.names import AppName, CommitId
from pushdeploy.domain.source import Source


class Refs(Protocol):
    """Reads and moves the branches of the apps' repositories."""

    def ensure(self, app: AppName) -> bool:
        """Make the app's repository where there is none: whether it was made now."""

    def read(self, app: AppName, ref: str) -> CommitId | None: ...
    def move(self, app: AppName, ref: str, old: CommitId | None, new: CommitId) -> bool:
        """Compare and set: False when the ref is not at ``old``."""

    def source(self, app: AppName, commit: CommitId) -> Source | None:
        """A commit that the repository already holds."""

    def related(self, app: AppName, commit: CommitId, other: AppName, base: CommitId) -> bool:
        """Tell whether a commit of one repository and one of another share any history."""

    def divergence(
        self, app: AppName, commit: CommitId, other: AppName, base: CommitId | None
    ) -> Divergence:
        """Compare the histories of ``commit`` in one repository and ``base`` in another.

        ``UserError`` where one of them is not there any more.
        """

    def share(self, app: AppName, other: AppName, commit: CommitId) -> None:
        """Give a commit of ``app`` with its history to the repository of ``other`` too."""

    def rename(self, app: AppName, new: AppName) -> None: ...
    def remove(self, app: AppName) -> None: ...
