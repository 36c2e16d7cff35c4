"""Destroy: an app goes with all that is its own, but for the data on its disks."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.certificates.choice import Certificates
from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.ports.errands import Errands
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.flow.converge import Converger
from pushdeploy.flow.turn import Turns
from pushdeploy.release.rehearsal import Rehearsals
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store

_log = logging.getLogger(__name__)

_JOURNAL = "destroying "
"""What the names of facts begin with, one for each app that is just being destroyed."""

_WITH_DATA = "with data"


@dataclass(frozen=True, slots=True)
class Destruction:
    """An app is destroyed here."""

    store: Store
    turns: Turns
    scheduler: Scheduler
    converger: Converger
    refs: Refs
    disks: Directories
    snapshots: SnapshotPhase
    rehearsals: Rehearsals
    errands: Errands
    certificates: Certificates

    def destroy(self, name: AppName, asker: Asker, *, with_data: bool) -> Sequence[DiskName]:
        """Remove an app, and the data on its disks ``with_data``: those whose data stays.

        What stays is whole: what a failed release did to it is undone first, for the snapshots go.
        """
        with (
            self.turns.to_its_end(name, "destroy", asker),
            asker.output.step(f"Destroying {name}"),
        ):
            disks = self.disks.list(name)
            if not with_data:
                self.converger.put_back(name, asker.output)
            self.store.meta.set(f"{_JOURNAL}{name}", _WITH_DATA if with_data else "")
            self._finish(name, with_data=with_data)
        return [] if with_data else disks

    def recover(self) -> None:
        """Finish, at the start, what a killed server has begun: half an app is of use to nobody."""
        for entry, said in self.store.meta.starting_with(_JOURNAL).items():
            name = AppName(entry.removeprefix(_JOURNAL))
            _log.warning("app=%s the server was stopped while it was destroyed", name)
            try:
                self._finish(name, with_data=said == _WITH_DATA)
            except PushdeployError as error:
                _log.warning("app=%s is not destroyed: %s", name, error.message)

    def _finish(self, name: AppName, *, with_data: bool) -> None:
        """Done again it goes on where it was cut short; after an error the app is as before."""
        app = self.store.apps.find(name)
        try:
            if app is not None:
                self._remove(app)
        except PushdeployError:
            self.store.meta.remove(f"{_JOURNAL}{name}")
            raise
        self.scheduler.forget_logs(name)
        if with_data:
            self.disks.destroy_all(name)
        self.store.meta.remove(f"{_JOURNAL}{name}")

    def _remove(self, app: App) -> None:
        """Stopped first, so that nobody starts again what is being removed."""
        name, grace_seconds = app.name, app.settings.run.stop_grace_seconds
        self.rehearsals.cancel(name, f"{name} is being destroyed")
        self.store.apps.set_stopped(name, True)
        try:
            self.converger.forget(name, grace_seconds)
        except PushdeployError:
            self.store.apps.set_stopped(name, app.stopped)
            raise
        self.refs.remove(name)
        self.store.apps.destroy(name)
        self.certificates.try_to_show()
        self.snapshots.files.remove_app(app.id)
        # Once more: a watcher that saw the tasks go may have routed to the stopped app meanwhile.
        self.converger.forget(name, grace_seconds)
        self.errands.forget_builds(app.id)
