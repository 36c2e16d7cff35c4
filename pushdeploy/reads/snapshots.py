"""Tells which snapshots of an app's disks there are, and what going back to one would lose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import Release
from pushdeploy.domain.snapshot import Snapshot, snapshot_after
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store

_LOOK_BACK = 1000
"""How many releases back the one that replaced another is looked for."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Going back to a snapshot loses what was written in ``seconds``: files of ``changed_bytes``
    have changed since."""

    seconds: float
    changed_bytes: int


@dataclass(frozen=True, slots=True)
class SnapshotReader:
    """The reader tells which snapshots of an app's disks there are."""

    store: Store
    snapshots: SnapshotPhase

    def all(self, app: AppName) -> Sequence[Snapshot]:
        """Newest first, without those that are just being taken."""
        return [each for each in self.store.snapshots.list(app) if each.complete]

    def get(self, app: AppName, snapshot: int) -> Snapshot:
        """Raise ``UserError`` when there is none."""
        return self.store.snapshots.get(app, snapshot)

    def left_by(self, release: Release) -> Snapshot:
        """The snapshot with the data as ``release`` left it: ``UserError`` where there is none."""
        later = self.store.releases.list(release.app, _LOOK_BACK)
        wanted = snapshot_after(later, release.version)
        if wanted is None:
            raise UserError(
                f"no snapshot was taken when {release.label} was replaced",
                f"disks:snapshots {release.app} shows those there are, for disks:restore",
            )
        return self.get(release.app, wanted)

    def loss(self, app: App, snapshot: Snapshot) -> Loss:
        seconds = (datetime.now(UTC) - snapshot.created_at).total_seconds()
        return Loss(seconds, self.snapshots.loss(app, snapshot))
