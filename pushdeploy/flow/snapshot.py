"""Snapshot: a person has the disks of an app copied, or removes such a copy."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.flow.turn import Turns
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.release.snapshots import SnapshotPhase, covered
from pushdeploy.store import Store

_MOST_NOTE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class SnapshotChanges:
    """Snapshots are taken and removed as people ask for it."""

    store: Store
    turns: Turns
    traffic: TrafficLocks
    disks: Directories
    snapshots: SnapshotPhase

    def take(self, app: App, disks: Sequence[DiskName], note: str, asker: Asker) -> Snapshot:
        """Copy ``disks``, or without any all but those with snapshots=off, while the app serves."""
        wanted = self._wanted(app, disks)
        with self.turns.to_its_end(app.name, "snapshot", asker) as now:
            with asker.output.step(f"Snapshot of {', '.join(wanted)}"):
                taken = self.snapshots.take(
                    now, wanted, note[:_MOST_NOTE_CHARACTERS], asker.by, None, asker.output.detail
                )
            self.snapshots.prune(now)
        return taken

    def forget(self, name: AppName, snapshot: int, asker: Asker, *, force: bool) -> bool:
        """Remove a snapshot for good: whether the disks were still to be put back from it.

        That is done by ``force`` only: they stay as a failed release left them then.
        """
        with (
            self.turns.to_its_end(name, "removal of a snapshot", asker),
            self.traffic.hold(name),  # whoever puts it back just now comes first
        ):
            found, app = self.store.snapshots.get(name, snapshot), self.store.apps.get(name)
            given_up = app.put_back == found.id
            if given_up and not force:
                raise UserError(
                    f"the disks of {name} are still to be put back from {found.label}",
                    f"ps:start {name}, first; where that cannot be done, and they are to stay as"
                    f" the failed release left them:  disks:forget {name} {found.label} --force",
                )
            if given_up:
                self.store.apps.set_put_back(name, None)
            self.snapshots.remove(app, found)
        return given_up

    def _wanted(self, app: App, disks: Sequence[DiskName]) -> Sequence[DiskName]:
        attached = self.store.disks.of(app.name)
        wanted = disks or covered(app, attached)
        if not wanted and attached:
            raise UserError(
                f"all disks of {app.name} have snapshots=off", f"disks:snapshot {app.name} DISK"
            )
        if not wanted:
            raise UserError(f"{app.name} has no disk", f"disks:attach {app.name} data /data")
        self.disks.refuse_missing(app.name, *disks)
        return wanted
