"""Make what runs follow what is wanted: after a scale, a restart, a crash, a boot. No build, no
network and no release phase."""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace

from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError, UnknownApp, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.plan import (
    TaskPlan,
    has_one_writer,
    is_down,
)
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.release import Release
from pushdeploy.domain.route import held, renamed, targets_of
from pushdeploy.domain.task import Slot, Task
from pushdeploy.flow.cutover import STOP_SECONDS, places
from pushdeploy.flow.outlook import Outlook, Running
from pushdeploy.output import Quiet
from pushdeploy.upkeep.dirty import Dirty, Found
from pushdeploy.upkeep.outages import Outages

_log = logging.getLogger(__name__)
_AT_ONCE = 4
_WATCHED_AT_ONCE = 32
"""One that waits for an app whose requests are held must not keep the others waiting."""


@dataclass(frozen=True, slots=True)
class _Anew:
    """``slots`` of a live release are to run anew in place of ``old``, while ``stay`` serve on."""

    app: App
    live: Release
    old: Sequence[Task]
    slots: Sequence[Slot]
    stay: Sequence[Task]


class Reconciler:
    def __init__(self, running: Running, changed: Callable[[AppName], None]) -> None:
        """``changed`` is told of each app of which something has changed by itself."""
        self._changed = changed
        self._running = running
        self._store = running.store
        self._outlook = Outlook(running)
        self._outages = Outages(running.hold_seconds)
        self._said: dict[AppName, str] = {}
        self._dirty: Dirty | None = None

    # ------------------------------------------------------------- one app

    def converge(self, name: AppName, output: Output, *, requests_wait: bool = False) -> Found:
        """Put back its disks where that is due, start what is missing, route to what runs, stop
        what is too much. ``requests_wait``, for a while, when none of its web processes runs.

        Tasks of a release that is just being shipped are left alone. ``BootFailed`` when a missing
        task does not start; what runs is routed to all the same. ``COMING`` when the engine is
        still bringing back one that had ended.
        """
        with self._running.traffic.hold(name):
            app = self._with_its_data(self._store.apps.get(name), output)
            live = self._store.releases.current(name)
            plan = self._looked_after(self._outlook.plan(app, live))
            plan = self._stop_other_versions(app, live, plan)
            present = self._running.scheduler.listening(plan.keep)
            down = requests_wait and is_down(plan, present)
            if down:
                with suppress(PushdeployError):  # then they fail, and what is missing still starts
                    self._route(app, live, present, plan.stop, Quiet(), down=True)
            plan = self._stop_unfinished(app, live, plan)
            started: Sequence[Task] = []
            try:
                started = self._start_missing(app, live, plan, output)
            finally:
                serving = [*present, *started]
                down = requests_wait and is_down(plan, serving)
                self._route(app, live, serving, plan.stop, output, down=down, new=started)
                self._running.scheduler.stop(plan.stop, app.settings.run.stop_grace_seconds)
            return Found.SETTLED if len(present) == len(plan.keep) else Found.COMING

    def put_back(self, name: AppName, output: Output) -> None:
        """Make its disks what its live release left, where a failed one has begun to change them.

        Nothing of the app runs then. Nothing happens where it is not due.
        """
        with self._running.traffic.hold(name):
            self._with_its_data(self._store.apps.get(name), output)

    def _with_its_data(self, app: App, output: Output) -> App:
        """The app when its disks are what its live release left, and not what a failed one did.

        Nothing of it may write meanwhile, so whatever runs of it goes first. Cut short, it is done
        again the next time.
        """
        if app.put_back is None:
            return app
        scheduler = self._running.scheduler
        scheduler.stop(scheduler.tasks(app.name), grace_seconds=0)
        scheduler.remove_strays(app.name)
        found = self._running.snapshots.restore(app, app.put_back, output.detail)
        self._store.apps.set_put_back(app.name, None)
        output.detail(f"the data is as it was before: {found.label} of {', '.join(found.disks)}")
        return self._store.apps.get(app.name)

    def make_way(self, name: AppName, output: Output) -> None:
        """Let its requests wait and stop it, where one task at a time writes to a disk.

        For one that comes under another name, to which ``hand_over`` passes what has waited.
        """
        with self._running.traffic.hold(name), ExitStack() as nothing_new:
            app = self._store.apps.get(name)
            live = self._store.releases.current(name)
            old = self._running.scheduler.tasks(name)
            if live is None or not old or not has_one_writer(app, live):
                return
            grace_seconds = min(app.settings.run.stop_grace_seconds, STOP_SECONDS)
            with output.step(f"Holding requests and stopping {places(old)}"):
                if targets_of(old):
                    nothing_new.enter_context(self._holding(app, live, old, output))
                self._running.scheduler.stop(old, grace_seconds)

    def hand_over(self, old: AppName, new: AppName, output: Output) -> None:
        """Retire what still runs under an app's old name; what runs under the new one serves."""
        with self._running.traffic.hold(new), self._running.traffic.hold(old):
            app = self._store.apps.get(new)
            live = self._store.releases.current(new)
            leaving = self._running.scheduler.tasks(old)
            serving = self._outlook.plan(app, live).keep
            if self._running.traffic.waiting_since(old):
                former = renamed(self._outlook.route_of(app, live, serving), old)
                self._running.router.switch(former, [], app.settings.front.drain_seconds, Quiet())
                self._running.traffic.requests_go_on(old)
            self._running.router.remove(old)
            self._route(app, live, serving, leaving, output)
            self._running.scheduler.stop(leaving, app.settings.run.stop_grace_seconds)
            self._running.scheduler.remove_strays(old)

    def restart(self, name: AppName, process: str | None, output: Output) -> Sequence[Slot]:
        """Replace the tasks of ``process`` (a type, a slot, None: all).

        New ones come first; where one version at a time writes to a disk, the old ones go first.
        """
        with self._running.traffic.hold(name):
            app = self._with_its_data(self._store.apps.get(name), output)
            live = self._store.releases.current(name)
            if live is None or app.stopped:
                raise UserError(
                    f"{name} is not running", f"ps:start {name}, or git push deploy main"
                )
            plan = self._stop_other_versions(app, live, self._outlook.plan(app, live))
            plan = self._stop_unfinished(app, live, plan)
            old = [task for task in plan.keep if task.slot.is_of(process)]
            slots = sorted(
                {task.slot for task in old} | {s for s in plan.start if s.is_of(process)}
            )
            if not slots:
                raise UserError(f"{name} runs no {process or 'process'}", f"ps {name}")
            stay = [task for task in plan.keep if task not in old]
            anew = _Anew(app, live, old, slots, stay)
            if has_one_writer(app, live):
                self._swap(anew, output)
            else:
                self._replace(anew, output)
            self._running.scheduler.stop(plan.stop, app.settings.run.stop_grace_seconds)
        return slots

    def _replace(self, anew: _Anew, output: Output) -> None:
        app, live, old = anew.app, anew.live, anew.old
        manifest = self._running.manifests.of(app, live)
        new = self._running.scheduler.run(manifest, anew.slots, output, Cancellation())
        with ExitStack() as undo:
            undo.callback(self._running.scheduler.stop, new, app.settings.run.stop_grace_seconds)
            self._route(app, live, [*anew.stay, *new], old, output)
            undo.pop_all()
        self._running.scheduler.stop(old, app.settings.run.stop_grace_seconds)

    def _swap(self, anew: _Anew, output: Output) -> None:
        """Requests wait between the old ones and the new ones, unless others take them."""
        app, live, old, stay = anew.app, anew.live, anew.old, anew.stay
        manifest = self._running.manifests.of(app, live)
        grace_seconds = min(app.settings.run.stop_grace_seconds, STOP_SECONDS)
        serving = [*stay, *old]
        if targets_of(stay):
            self._route(app, live, stay, old, output)
        try:
            with ExitStack() as nothing_new:
                if targets_of(old) and not targets_of(stay):
                    nothing_new.enter_context(self._holding(app, live, old, output))
                serving = [*stay]
                self._running.scheduler.stop(old, grace_seconds)
            serving += self._running.scheduler.run(manifest, anew.slots, output, Cancellation())
        finally:
            self._route(app, live, serving, [], output)
            self._running.traffic.requests_go_on(app.name)

    @contextmanager
    def _holding(
        self, app: App, live: Release, tasks: Sequence[Task], output: Output
    ) -> Iterator[None]:
        """Requests wait from now on, also afterwards; while inside nothing new reaches them."""
        route = self._outlook.route_of(app, live, tasks)
        drain_seconds = min(app.settings.front.drain_seconds, STOP_SECONDS)
        self._running.traffic.requests_wait(app.name)
        with self._running.router.hold(route, targets_of(tasks), drain_seconds, output):
            yield

    def refresh_route(self, name: AppName, output: Output) -> None:
        """Render the app's route anew: its domains or its settings have changed."""
        with self._running.traffic.hold(name):
            app = self._store.apps.get(name)
            live = self._store.releases.current(name)
            self._route(app, live, self._outlook.plan(app, live).keep, [], output)

    def forget(self, name: AppName, grace_seconds: int) -> None:
        """Stop everything of an app and remove its route; the store still knows it."""
        with self._running.traffic.hold(name):
            self._running.router.remove(name)
            self._running.scheduler.stop(self._running.scheduler.tasks(name), grace_seconds)
            self._running.scheduler.remove_strays(name)

    # ------------------------------------------------------------- everything

    def route_all(self, waiting: Collection[AppName]) -> None:
        """Route every app to what runs of it, with one reload.

        Requests of those whose web process is still to be started wait until it is converged, and
        so do those of ``waiting``: what runs of them may be about to stop.
        """
        apps = self._store.apps.list()
        routes = [self._outlook.present_route(app, waits=app.name in waiting) for app in apps]
        self._running.router.routes(routes)

    def converge_all(self) -> Mapping[AppName, Found]:
        """Start what is missing of every app and stop what is too much.

        Raises when something of an unknown app does not stop; the others are looked after first.
        """
        names = [app.name for app in self._store.apps.list()]
        try:
            self._stop_orphans(set(names))
        finally:
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="converge") as pool:
                found = list(pool.map(self.converge_quietly, names))
        return dict(zip(names, found, strict=True))

    def converge_quietly(self, name: AppName) -> Found:
        """Converge and log what fails: one bad app must not stop the others."""
        try:
            self._tell(name)
            found = self.converge(name, Quiet(), requests_wait=True)
        except UnknownApp:
            self._said.pop(name, None)
            return Found.SETTLED
        except PushdeployError as error:
            if self._said.get(name) != error.message:  # it is tried again and again
                _log.warning("app=%s cannot be converged: %s", name, error.message)
            self._said[name] = error.message
        except Exception:  # noqa: BLE001 - a loop that must outlive one bad app
            _log.exception("app=%s cannot be converged", name)
        else:
            self._said.pop(name, None)
            return found
        return Found.FAILED

    def _tell(self, name: AppName) -> None:
        """What cannot be written down must not keep an app from being brought in order."""
        try:
            self._changed(name)
        except PushdeployError as error:
            _log.warning("app=%s what became of it is not written down: %s", name, error.message)

    def look_again(self, name: AppName) -> None:
        """Soon, and again while it fails: what should run of it does not."""
        if self._dirty is not None:
            self._dirty.mark(name)

    def watch(self, stopping: threading.Event) -> None:
        """Converge all, then whatever changes by itself, until ``stopping``; on its own thread."""
        with ThreadPoolExecutor(_WATCHED_AT_ONCE, thread_name_prefix="converge") as pool:
            self._dirty = dirty = Dirty(pool, self.converge_quietly, self.converge_all)
            try:
                with self._changes(stopping) as changes:
                    for name in changes:
                        dirty.mark(name)
            finally:
                dirty.close()

    # ------------------------------------------------------------- private

    @contextmanager
    def _changes(self, stopping: threading.Event) -> Iterator[Iterator[AppName | None]]:
        """The scheduler's changes, cut off when ``stopping`` is set."""
        with self._running.scheduler.changes() as changes:
            yield (name for name in iter(changes) if not stopping.is_set())

    def _stop_orphans(self, known: set[AppName]) -> None:
        """Stop tasks of apps that the store does not know: a destroy that was cut short."""
        orphans = [task for task in self._running.scheduler.tasks() if task.app not in known]
        if orphans and not known:
            _log.error("the database knows no app, but %d tasks run: left alone", len(orphans))
            return
        self._running.scheduler.stop(orphans, grace_seconds=10)

    def _looked_after(self, plan: TaskPlan) -> TaskPlan:
        """The engine could not be told of those that still start, for nobody ships this version."""
        waiting = [task for task in plan.keep if task.state == "starting"]
        self._running.scheduler.confirm(waiting)
        up = [replace(task, state="up") if task in waiting else task for task in plan.keep]
        return replace(plan, keep=up)

    def _stop_other_versions(self, app: App, live: Release | None, plan: TaskPlan) -> TaskPlan:
        """First of all where one version at a time writes to a disk. What is left of the plan."""
        if live is None or not has_one_writer(app, live):
            return plan
        return self._stop_first(app, plan, lambda task: task.version != live.version)

    def _stop_unfinished(self, app: App, live: Release | None, plan: TaskPlan) -> TaskPlan:
        """What a killed server was starting may run and write by now: it goes before another one
        takes its place, where one at a time writes to a disk. What is left of the plan."""
        if live is None or not has_one_writer(app, live):
            return plan
        return self._stop_first(app, plan, lambda task: task.slot in plan.start)

    def _stop_first(self, app: App, plan: TaskPlan, which: Callable[[Task], bool]) -> TaskPlan:
        now = [task for task in plan.stop if which(task)]
        self._running.scheduler.stop(now, min(app.settings.run.stop_grace_seconds, STOP_SECONDS))
        return replace(plan, stop=[task for task in plan.stop if task not in now])

    def _start_missing(
        self, app: App, live: Release | None, plan: TaskPlan, output: Output
    ) -> Sequence[Task]:
        if live is None or not plan.start:
            return []
        manifest = self._running.manifests.of(app, live)
        return self._running.scheduler.run(manifest, plan.start, output, Cancellation())

    def _route(
        self,
        app: App,
        live: Release | None,
        tasks: Sequence[Task],
        leaving: Sequence[Task],
        output: Output,
        *,
        down: bool = False,
        new: Sequence[Task] = (),
    ) -> None:
        """``down``: there should be web processes among ``tasks`` and are none.

        ``RouteFailed`` as soon as one of ``new`` ends, whose address would be asked for long.
        """
        route = self._outlook.route_of(app, live, tasks)
        if not down:
            self._outages.over(app.name)
        elif self._outages.bearable(app.name):
            route = held(route)
        fallen, seconds = Cancellation(), app.settings.front.drain_seconds
        with self._running.scheduler.watching(new, fallen):
            self._running.router.switch(route, targets_of(leaving), seconds, output, fallen)
