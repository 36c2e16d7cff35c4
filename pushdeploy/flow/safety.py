"""Safety: the data of an app, and its live release, outlive a release that has them for itself and
fails."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.errands import Errands
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.flow.change import Change
from pushdeploy.flow.converge import Converger
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Safety:
    """A failed release leaves the data and the live release as they were."""

    store: Store
    snapshots: SnapshotPhase
    converger: Converger
    errands: Errands

    def copy_ahead(self, change: Change) -> AbstractContextManager[Snapshot | None]:
        """Copy what is large while the old version serves: what ``snapshot`` is to go on from."""
        release = change.release
        return self.snapshots.ahead(change.app, release.disks, release.by, change.output)

    def snapshot(self, change: Change, early: Snapshot | None) -> None:
        """Put the disks back from now on, whatever happens, unless the release is live."""
        app, release, output = change.app, change.release, change.output
        taken = self.snapshots.before_release(
            app, release.disks, release.version, release.by, output, early
        )
        if taken is not None:
            self.store.apps.set_put_back(app.name, taken.id)

    def restore(self, change: Change) -> None:
        """Give the disks the data that the change is to bring back, where it is."""
        wanted = change.candidate.restore
        if wanted is not None:
            with change.output.step(f"Restoring snapshot s{wanted}"):
                self.snapshots.restore(change.app, wanted, change.output.detail)

    @contextmanager
    def put_back(self, change: Change) -> Iterator[None]:
        """An error inside is raised when the app is as it was before, as far as that can be."""
        try:
            yield
        except BaseException as error:
            if self._is_unfinished(change):
                self._put_everything_back(change, error)
            raise

    def start_again(self, app: AppName, output: Output) -> None:
        """Start those of the app's tasks that have ended; the others go on."""
        if not self.converger.try_to_converge(app, output, "; it is tried again"):
            self.errands.look_again(app)

    def _is_unfinished(self, change: Change) -> bool:
        release = change.release
        return self.store.releases.get(release.app, release.version).status.unfinished

    def _put_everything_back(self, change: Change, error: BaseException) -> None:
        """The data first, for a disk that a migration has filled leaves no room for our own words.

        The failure is written down before what runs follows, so that nothing of it is spared.
        """
        release, output = change.release, change.output
        why = error.message if isinstance(error, PushdeployError) else "internal error"
        try:
            with output.step(f"Putting {release.app} back as it was"):
                self.converger.put_back(release.app, output)
                self.store.releases.fail(release.app, release.version, why)
                self.converger.converge(release.app, output)
        except PushdeployError as trouble:
            output.trouble(f"{release.app} could not be put back: {trouble.message}")
            output.trouble(trouble.hint or "pushdeploy doctor, on the server, says more")
            output.trouble(f"it is tried again by itself, and by:  ps:start {release.app}")
            self.errands.look_again(release.app)
            return
        with suppress(PushdeployError):  # at the next occasion, then
            self.snapshots.prune(self.store.apps.get(release.app))
