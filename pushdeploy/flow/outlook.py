"""What should run of an app and what does, and the route that follows: nothing is changed here."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.plan import TaskPlan, is_down, is_foreign, plan_tasks, serves
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.release import Release
from pushdeploy.domain.route import Route, held
from pushdeploy.domain.task import Slot, Task
from pushdeploy.locks.apps import AppLocks
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.route.sites import Sites
from pushdeploy.run.manifests import Manifests
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Running:
    """What the reconciler works on, made once by the wiring.

    ``hold_seconds`` is how long requests of an app wait for processes that have ended.
    """

    store: Store
    locks: AppLocks
    traffic: TrafficLocks
    refs: Refs
    manifests: Manifests
    scheduler: Scheduler
    router: Router
    snapshots: SnapshotPhase
    sites: Sites
    hold_seconds: float


class Outlook:
    def __init__(self, running: Running) -> None:
        self._running = running

    def plan(self, app: App, live: Release | None) -> TaskPlan:
        """What to keep, start and stop, decided without touching anything."""
        found = self._running.scheduler.tasks(app.name)
        tasks = [task for task in found if not is_foreign(task, live)]
        shipping = {
            r.version for r in self._running.store.releases.unfinished() if r.app == app.name
        }
        wanted: Sequence[Slot] = []
        if live is not None and not app.stopped and app.put_back is None:
            wanted = self._running.manifests.of(app, live).slots()
        version = live.version if live else None
        return plan_tasks(wanted, version, [t for t in tasks if t.version not in shipping])

    def route_of(self, app: App, live: Release | None, tasks: Sequence[Task]) -> Route:
        return self._running.sites.route(app, live.version if live else None, tasks)

    def present_route(self, app: App, *, waits: bool) -> Route:
        live = self._running.store.releases.current(app.name)
        plan = self.plan(app, live)
        present = self._running.scheduler.listening(plan.keep)
        route = self.route_of(app, live, present)
        if (waits and serves(present)) or is_down(plan, present):
            return held(route)
        return route
