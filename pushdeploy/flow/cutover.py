"""The two ways in which an app goes over to a new release, each with its undo: side by side, or one
version at a time where a disk has one writer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.release import ReleaseStatus
from pushdeploy.domain.route import targets_of
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.domain.task import Task
from pushdeploy.flow.change import Change, Means, NewTasks, confirmed, made_ready, release_phase
from pushdeploy.output import duration

STOP_SECONDS = 10
"""How long requests and processes of the old version may go on while others wait for them."""


def bring_live(means: Means, change: Change) -> Sequence[Task]:
    """Run the release command, start the new tasks, move traffic to them, make the release live.

    Returns the tasks that are left to retire. An error leaves the app as it was before.
    """
    if change.release.cut_over is CutOver.EXCLUSIVE:
        return Exclusive(means, change).bring_live()
    return Overlap(means, change).bring_live()


class Overlap:
    """Old and new run side by side until traffic has moved. The disks are never put back: the old
    version has gone on writing to them."""

    def __init__(self, means: Means, change: Change) -> None:
        self._means = means
        self._change = change

    def bring_live(self) -> Sequence[Task]:
        means, change = self._means, self._change
        app, release, output = change.app, change.release, change.output
        fallen = Cancellation()
        with ExitStack() as undo:
            with made_ready(means, change) as new:
                means.snapshots.before_release(
                    app, release.disks, release.version, release.by, output
                )
                with release_phase(means, change, new) as migrate:
                    if change.migrates:
                        change.pass_point_of_no_return()
                    migrate()
                    tasks = new.start()
            undo.callback(means.scheduler.stop, tasks, app.settings.run.stop_grace_seconds)
            change.before_switch()
            if not change.migrates:
                change.pass_point_of_no_return()
            with means.traffic.hold(app.name), means.scheduler.watching(tasks, fallen):
                means.mark(release, ReleaseStatus.SWITCHING)
                found = means.scheduler.tasks(app.name)
                leaving = [task for task in found if change.is_old(task)]
                undo.callback(self._switch_back, leaving, tasks, fallen)
                self._switch(leaving, tasks, fallen)
                means.store.releases.make_live(app.name, release.version)
                undo.pop_all()
        return leaving

    def _switch(self, leaving: Sequence[Task], tasks: Sequence[Task], fallen: Cancellation) -> None:
        """Move traffic from ``leaving`` to ``tasks``, which must run on when it has moved."""
        means, change = self._means, self._change
        route = means.sites.route(change.app, change.release.version, tasks)
        drain_seconds = change.app.settings.front.drain_seconds
        with change.output.step("Switching traffic"), confirmed(means, tasks):
            means.router.switch(route, targets_of(leaving), drain_seconds, change.output, fallen)

    def _switch_back(
        self, former: Sequence[Task], tasks: Sequence[Task], fallen: Cancellation
    ) -> None:
        """The undo of a switch that is not to be: traffic returns to ``former``."""
        means, app = self._means, self._change.app
        version = former[0].version if former else None
        route = means.sites.route(app, version, former)
        drain_seconds = 0 if fallen.cancelled else app.settings.front.drain_seconds
        try:
            means.router.switch(route, targets_of(tasks), drain_seconds, self._change.output)
        except PushdeployError as error:  # what failed before is what is raised
            self._change.output.trouble(f"traffic does not go back yet: {error.message}")


class Exclusive:
    """Requests wait, the old tasks stop, and only then the release command and the new tasks touch
    the disks. No request reaches the new version before the release is written down as live: so a
    failure may put the disks back without losing what anybody has been told was done."""

    def __init__(self, means: Means, change: Change) -> None:
        self._means = means
        self._change = change
        self._held_at = 0.0
        self._passed_at = 0.0
        self._early: Snapshot | None = None

    def bring_live(self) -> Sequence[Task]:
        means, change = self._means, self._change
        app, release, output = change.app, change.release, change.output
        with (
            means.snapshots.ahead(app, release.disks, release.by, output) as self._early,
            means.traffic.hold(app.name),
            means.writers.alone(app.name, f"release {release.label}"),
        ):
            try:
                with (
                    made_ready(means, change) as new,
                    release_phase(means, change, new) as migrate,
                ):
                    self._take_over(migrate, new)
            except BaseException as error:
                self._put_everything_back(error)
                raise
            finally:
                means.traffic.requests_go_on(app.name)
        if self._held_at:
            held_seconds = self._passed_at - self._held_at
            output.detail(f"requests were held for {duration(held_seconds)}")
            means.store.releases.add_step(app.name, release.version, "Requests held", held_seconds)
        return []

    def _take_over(self, migrate: Callable[[], None], new: NewTasks) -> None:
        means, change = self._means, self._change
        app = change.app
        new.await_ready()
        if change.migrates:
            change.pass_point_of_no_return()
        old = [task for task in means.scheduler.tasks(app.name) if change.is_old(task)]
        with ExitStack() as nothing_new:
            if targets_of(old):
                nothing_new.enter_context(self._holding(old))
            if old:
                with change.output.step(f"Stopping {places(old)}"):
                    grace_seconds = min(app.settings.run.stop_grace_seconds, STOP_SECONDS)
                    means.scheduler.stop(old, grace_seconds)
        self._change_the_disks(migrate)
        tasks, fallen = new.start(), Cancellation()
        with means.scheduler.watching(tasks, fallen):
            change.before_switch()
            if not change.migrates:
                change.pass_point_of_no_return()
            means.mark(change.release, ReleaseStatus.SWITCHING)
            if fallen.cancelled:
                means.scheduler.confirm(tasks)
            means.store.releases.make_live(app.name, change.release.version)
            self._let_requests_go_on(tasks, fallen)

    @contextmanager
    def _holding(self, old: Sequence[Task]) -> Iterator[None]:
        """Requests wait from now on, also afterwards; while inside nothing new reaches ``old``."""
        means, change = self._means, self._change
        app = change.app
        route = means.sites.route(app, old[0].version, old)
        drain_seconds = min(app.settings.front.drain_seconds, STOP_SECONDS)
        with ExitStack() as held:
            with change.output.step("Holding requests"):
                means.traffic.requests_wait(app.name)
                self._held_at = monotonic()
                held.enter_context(
                    means.router.hold(route, targets_of(old), drain_seconds, change.output)
                )
            yield

    def _change_the_disks(self, migrate: Callable[[], None]) -> None:
        """From the snapshot on, whatever happens, they are put back unless the release is live."""
        means, change = self._means, self._change
        app, release, output = change.app, change.release, change.output
        taken = means.snapshots.before_release(
            app, release.disks, release.version, release.by, output, self._early
        )
        if taken is not None:
            means.store.apps.set_put_back(app.name, taken.id)
        if change.candidate.restore is not None:
            with output.step(f"Restoring snapshot s{change.candidate.restore}"):
                means.snapshots.restore(app, change.candidate.restore, output.detail)
        migrate()

    def _let_requests_go_on(self, tasks: Sequence[Task], fallen: Cancellation) -> None:
        """The release is live: trouble is told, mended where that is possible, and undoes nothing.

        For what anybody has been told was done would be lost with the disks put back.
        """
        means, change = self._means, self._change
        route = means.sites.route(change.app, change.release.version, tasks)
        self._passed_at = monotonic()  # what is held is passed on before nginx reads the new route
        try:
            with change.output.step("Switching traffic"), confirmed(means, tasks):
                if not fallen.cancelled:
                    means.router.switch(route, (), 0, change.output, fallen)
        except PushdeployError as error:
            change.output.trouble(f"{error.message}; {change.release.label} is live all the same")
            self._start_again()

    def _start_again(self) -> None:
        """Those of its tasks that have ended; the others go on."""
        means, change = self._means, self._change
        try:
            means.converge(change.app.name, change.output)
        except PushdeployError as error:
            change.output.trouble(f"{error.message}; it is tried again")
            means.look_again(change.app.name)

    def _put_everything_back(self, error: BaseException) -> None:
        """The data first, for a disk that a migration has filled leaves no room for our own words.

        The failure is written down before what runs follows, so that nothing of it is spared.
        """
        means, change = self._means, self._change
        release, output = change.release, change.output
        if not means.store.releases.get(release.app, release.version).status.unfinished:
            return
        why = error.message if isinstance(error, PushdeployError) else "internal error"
        try:
            with output.step(f"Putting {release.app} back as it was"):
                means.put_back(release.app, output)
                means.store.releases.fail(release.app, release.version, why)
                means.converge(release.app, output)
        except PushdeployError as trouble:
            output.trouble(f"{release.app} could not be put back: {trouble.message}")
            output.trouble(trouble.hint or "pushdeploy doctor, on the server, says more")
            output.trouble(f"it is tried again by itself, and by:  ps:start {release.app}")
            means.look_again(release.app)
            return
        with suppress(PushdeployError):  # at the next occasion, then
            means.snapshots.prune(means.store.apps.get(release.app))


def places(tasks: Sequence[Task]) -> str:
    """``web.1 of v4, worker.1 of v4``."""
    return ", ".join(sorted({f"{task.slot} of v{task.version}" for task in tasks}))
