"""Converge: what runs of one app, and where its requests go, is made to follow the ledger. No
build, no network and no release phase."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.plan import serves
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.route import Route, held
from pushdeploy.domain.task import Task
from pushdeploy.flow.processes import AppPlan, Processes
from pushdeploy.flow.swap import STOP_SECONDS
from pushdeploy.flow.traffic import Traffic
from pushdeploy.output import Quiet
from pushdeploy.publish.publisher import Publisher
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Converger:
    """The converger makes the tasks and the route of one app follow the ledger."""

    store: Store
    processes: Processes
    traffic: Traffic
    snapshots: SnapshotPhase
    publisher: Publisher

    def converge(self, name: AppName, output: Output, *, requests_wait: bool = False) -> bool:
        """Put back its disks where that is due, start what is missing, route to what runs, stop
        what is too much. ``requests_wait``, for a while, when none of its web processes runs.

        Tasks of a release that is just being shipped are left alone. ``BootFailed`` when a missing
        task does not start; what runs is routed to all the same. False when the engine is still
        bringing back one that had ended.
        """
        scheduler = self.processes.scheduler
        self._publish(name)
        with self.traffic.alone(name):
            plan = self._looked_after(self.processes.plan(self.put_back(name, output)))
            plan = self._stop_other_versions(plan)
            present = scheduler.listening(plan.tasks.keep)
            if requests_wait and plan.is_down(present):
                with suppress(PushdeployError):  # then they fail, and what is missing still starts
                    self._route(plan, present, Quiet(), requests_wait=True)
            plan = self._stop_unfinished(plan)
            started: Sequence[Task] = []
            try:
                started = self.processes.start(plan, plan.tasks.start, output)
            finally:
                serving = [*present, *started]
                self._route(plan, serving, output, requests_wait=requests_wait, new=started)
                scheduler.stop(plan.tasks.stop, plan.app.settings.run.stop_grace_seconds)
            return len(present) == len(plan.tasks.keep)

    def try_to_converge(self, name: AppName, output: Output, then: str = "") -> bool:
        """Converge where an error has been told already, or would hide what failed before: tell
        ``output`` of it, and ``then``, and return False."""
        try:
            self.converge(name, output)
        except PushdeployError as error:
            output.trouble(f"{error.message}{then}")
            return False
        return True

    def put_back(self, name: AppName, output: Output) -> App:
        """Make its disks what its live release left, where a failed one has begun to change them.

        Nothing of it may write meanwhile, so whatever runs of it goes first. Cut short, it is done
        again the next time; nothing happens where it is not due. The app as it is then.
        """
        scheduler = self.processes.scheduler
        with self.traffic.alone(name):
            app = self.store.apps.get(name)
            if app.put_back is None:
                return app
            scheduler.stop(scheduler.tasks(name), grace_seconds=0)
            scheduler.remove_strays(name)
            found = self.snapshots.restore(app, app.put_back, output.detail)
            self.store.apps.set_put_back(name, None)
            disks = ", ".join(found.disks)
            output.detail(f"the data is as it was before: {found.label} of {disks}")
            return self.store.apps.get(name)

    def clear(self, plan: AppPlan) -> AppPlan:
        """Stop what is not to stay where one task at a time writes to a disk, and return the
        rest.

        What is left of the plan.
        """
        return self._stop_unfinished(self._stop_other_versions(plan))

    def refresh_route(self, name: AppName) -> None:
        """Render the app's route anew: its domains, its settings or its rules have changed."""
        with self.traffic.alone(name):
            plan = self.processes.plan(self.store.apps.get(name))
            self.traffic.refresh(plan.app, plan.version, plan.tasks.keep)

    def present_route(self, app: App, *, waits: bool) -> Route:
        """The route to what runs of ``app``, with nothing changed. Requests wait where nothing
        serves that should, and where something does and all is to wait, as ``waits`` says."""
        plan = self.processes.plan(app)
        present = self.processes.scheduler.listening(plan.tasks.keep)
        route = self.traffic.sites.route(app, plan.version, present)
        if (waits and serves(present)) or plan.is_down(present):
            return held(route)
        return route

    def forget(self, name: AppName, grace_seconds: int) -> None:
        """Stop everything of an app and remove its route; the store still knows it."""
        scheduler = self.processes.scheduler
        with self.traffic.alone(name):
            self.traffic.router.remove(name)
            scheduler.stop(scheduler.tasks(name), grace_seconds)
            scheduler.remove_strays(name)

    def _publish(self, name: AppName) -> None:
        """Take the live release's files out of its image where they lack or are damaged.

        What cannot be had keeps nothing else from running.
        """
        live = self.store.releases.current(name)
        try:
            if live is not None:
                self.publisher.mend(self.store.apps.get(name), live.slug)
        except PushdeployError as error:
            _log.warning("app=%s its files are not published: %s", name, error.message)

    def _looked_after(self, plan: AppPlan) -> AppPlan:
        """The engine could not be told of those that still start, for nobody ships this version."""
        waiting = [task for task in plan.tasks.keep if task.state == "starting"]
        self.processes.scheduler.confirm(waiting)
        up = [replace(task, state="up") if task in waiting else task for task in plan.tasks.keep]
        return replace(plan, tasks=replace(plan.tasks, keep=up))

    def _stop_other_versions(self, plan: AppPlan) -> AppPlan:
        """First of all where one version at a time writes to a disk. What is left of the plan."""
        return self._stop_first(plan, lambda task: task.version != plan.version)

    def _stop_unfinished(self, plan: AppPlan) -> AppPlan:
        """What a killed server was starting may run and write by now: it goes before another one
        takes its place, where one at a time writes to a disk. What is left of the plan."""
        return self._stop_first(plan, lambda task: task.slot in plan.tasks.start)

    def _stop_first(self, plan: AppPlan, which: Callable[[Task], bool]) -> AppPlan:
        if not plan.has_one_writer:
            return plan
        now = [task for task in plan.tasks.stop if which(task)]
        grace_seconds = min(plan.app.settings.run.stop_grace_seconds, STOP_SECONDS)
        self.processes.scheduler.stop(now, grace_seconds)
        return plan.without(now)

    def _route(
        self,
        plan: AppPlan,
        tasks: Sequence[Task],
        output: Output,
        *,
        requests_wait: bool,
        new: Sequence[Task] = (),
    ) -> None:
        """Raise ``RouteFailed`` as soon as one of ``new`` ends, whose address would be asked
        for long.
        """
        fallen, down = Cancellation(), requests_wait and plan.is_down(tasks)
        with self.processes.scheduler.watching(new, fallen):
            self.traffic.send(
                plan.app,
                plan.version,
                tasks,
                output,
                leaving=plan.tasks.stop,
                fallen=fallen,
                down=down,
            )
