"""Restore: the disks of an app get the data of a snapshot, with a release where one has them."""

from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import Release
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.turn import Turns
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Restores:
    """A snapshot is put back onto the disks of an app."""

    store: Store
    turns: Turns
    snapshots: SnapshotPhase
    candidates: Candidates
    shipper: Shipper

    def restore(
        self, app: AppName, snapshot: Snapshot, asker: Asker, *, release_phase: bool = True
    ) -> Release | None:
        """Ship the live slug with the data of ``snapshot``; its release command brings it forward.

        None when the app has no release yet: its disks have the data then.
        """
        with self.turns.of(app, f"restore of {snapshot.label}", asker) as found:
            live = self.store.releases.current(app)
            if live is None:
                wanted = self.store.snapshots.get(app, snapshot.id)
                asker.cancellation.commit()
                self.snapshots.exchange(found, wanted, asker.by, asker.output)
                return None
            candidate = self.candidates.of_restore(
                live, snapshot, asker.by, release_phase=release_phase
            )
            return self.shipper.ship(candidate, asker)

    def bring_in(self, app: AppName, snapshot: Snapshot, asker: Asker) -> Release | None:
        """Let what has come from elsewhere take its disks: a restore where the live release has
        them.

        Else they have it when this returns None, for nobody looks; what they held is a snapshot
        then, and ``snapshot`` itself, which is the same as the disks, is gone.
        """
        with self.turns.of(app, f"import of {snapshot.label}", asker) as found:
            attached = {attachment.disk for attachment in self.store.disks.of(app)}
            live = self.store.releases.current(app)
            if live is not None and attached & set(snapshot.disks):
                candidate = self.candidates.of_restore(live, snapshot, asker.by, release_phase=True)
                return self.shipper.ship(candidate, asker)
            asker.cancellation.commit()
            self.snapshots.replace(found, snapshot, asker.by, asker.output)
            return None
