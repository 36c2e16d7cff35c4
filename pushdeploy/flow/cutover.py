"""The two ways in which an app goes over to a new release, each with its undo: side by side, or one
version at a time where a disk has one writer. The order of the lines is the order of events."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.release import ReleaseStatus
from pushdeploy.domain.task import Task
from pushdeploy.flow.change import Change
from pushdeploy.flow.new_tasks import Starts
from pushdeploy.flow.safety import Safety
from pushdeploy.flow.swap import Swap, Swaps
from pushdeploy.flow.traffic import Traffic
from pushdeploy.locks.writers import Writers
from pushdeploy.output import duration
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Overlap:
    """Old and new run side by side until traffic has moved. The disks are never put back: the old
    version has gone on writing to them."""

    store: Store
    scheduler: Scheduler
    snapshots: SnapshotPhase
    starts: Starts
    traffic: Traffic

    def bring_live(self, change: Change) -> Sequence[Task]:
        app, release, output = change.app, change.release, change.output
        fallen = Cancellation()
        with ExitStack() as undo:
            with self.starts.made_ready(change) as new:
                self.snapshots.before_release(
                    app, release.disks, release.version, release.by, output
                )
                with self.starts.release_phase(change, new) as migrate:
                    change.begin_migration()
                    migrate()
                    tasks = new.start()
            undo.callback(self.scheduler.stop, tasks, app.settings.run.stop_grace_seconds)
            change.begin_switch()
            with self.traffic.alone(app.name), self.scheduler.watching(tasks, fallen):
                self.store.releases.set_status(app.name, release.version, ReleaseStatus.SWITCHING)
                leaving = change.old(self.scheduler.tasks(app.name))
                undo.callback(self._switch_back, change, leaving, tasks, fallen)
                self._switch(change, leaving, tasks, fallen)
                self.store.releases.make_live(app.name, release.version)
                undo.pop_all()
        return leaving

    def _switch(
        self, change: Change, leaving: Sequence[Task], tasks: Sequence[Task], fallen: Cancellation
    ) -> None:
        """Move traffic from ``leaving`` to ``tasks``, which must run on when it has moved."""
        app, version, output = change.app, change.release.version, change.output
        with output.step("Switching traffic"), self.starts.confirmed(tasks):
            self.traffic.send(app, version, tasks, output, leaving=leaving, fallen=fallen)

    def _switch_back(
        self, change: Change, former: Sequence[Task], tasks: Sequence[Task], fallen: Cancellation
    ) -> None:
        """The undo of a switch that is not to be: traffic returns to ``former``."""
        version = former[0].version if former else change.app.current_version
        drain_seconds = 0 if fallen.cancelled else None
        try:
            self.traffic.send(
                change.app,
                version,
                former,
                change.output,
                leaving=tasks,
                drain_seconds=drain_seconds,
            )
        except PushdeployError as error:  # what failed before is what is raised
            change.output.trouble(f"traffic does not go back yet: {error.message}")


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Requests wait, the old tasks stop, and only then the release command and the new tasks touch
    the disks. No request reaches the new version before the release is written down as live: so a
    failure may put the disks back without losing what anybody has been told was done."""

    store: Store
    scheduler: Scheduler
    writers: Writers
    starts: Starts
    traffic: Traffic
    swaps: Swaps
    safety: Safety

    def bring_live(self, change: Change) -> Sequence[Task]:
        app, release, output = change.app, change.release, change.output
        fallen = Cancellation()
        with (
            self.safety.copy_ahead(change) as early,
            self.traffic.alone(app.name),
            self.writers.alone(app.name, f"release {release.label}"),
            self.swaps.of(app, output) as swap,
            self.safety.put_back(change),
            self.starts.made_ready(change) as new,
            self.starts.release_phase(change, new) as migrate,
        ):
            if not change.migrates:
                new.await_ready()
            change.begin_migration()
            swap.make_way(change.old(self.scheduler.tasks(app.name)), output)
            self.safety.snapshot(change, early)
            self.safety.restore(change)
            migrate()
            tasks = new.start()
            with self.scheduler.watching(tasks, fallen):
                change.begin_switch()
                self.store.releases.set_status(app.name, release.version, ReleaseStatus.SWITCHING)
                if fallen.cancelled:
                    self.scheduler.confirm(tasks)
                self.store.releases.make_live(app.name, release.version)
                swap.passed_at = monotonic()  # requests go on before nginx reads the new route
                self._let_requests_go_on(change, tasks, fallen)
        self._tell_of_hold(change, swap)
        return []

    def _let_requests_go_on(
        self, change: Change, tasks: Sequence[Task], fallen: Cancellation
    ) -> None:
        """The release is live: trouble is told, mended where that is possible, and undoes nothing.

        For what anybody has been told was done would be lost with the disks put back.
        """
        app, release, output = change.app, change.release, change.output
        try:
            with output.step("Switching traffic"), self.starts.confirmed(tasks):
                if not fallen.cancelled:
                    self.traffic.send(app, release.version, tasks, output, fallen=fallen)
        except PushdeployError as error:
            output.trouble(f"{error.message}; {release.label} is live all the same")
            self.safety.start_again(app.name, output)

    def _tell_of_hold(self, change: Change, swap: Swap) -> None:
        if not swap.held_at:
            return
        app, version, seconds = change.app.name, change.release.version, swap.held_seconds
        change.output.detail(f"requests were held for {duration(seconds)}")
        self.store.releases.add_step(app, version, "Requests held", seconds)


@dataclass(frozen=True, slots=True)
class CutOvers:
    """A release goes live by one of these cut-overs."""

    overlap: Overlap
    exclusive: Exclusive

    def bring_live(self, change: Change) -> Sequence[Task]:
        """Run the release command, start the new tasks, move traffic to them, make the release
        live.

        Returns the tasks that are left to retire. An error leaves the app as it was before.
        """
        if change.release.cut_over is CutOver.EXCLUSIVE:
            return self.exclusive.bring_live(change)
        return self.overlap.bring_live(change)
