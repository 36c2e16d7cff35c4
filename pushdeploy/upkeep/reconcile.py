"""Reconcile: all apps follow the ledger, at the start and whenever something changes by itself."""

import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from pushdeploy.domain.errors import PushdeployError, UnknownApp
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.flow.converge import Converger
from pushdeploy.flow.first_moments import FirstMoments
from pushdeploy.output import Quiet
from pushdeploy.store import Store
from pushdeploy.upkeep.changed_apps import ChangedApps, Condition

_log = logging.getLogger(__name__)
_AT_ONCE = 4
_WATCHED_AT_ONCE = 32
"""One that waits for an app whose requests are held must not keep the others waiting."""


class Reconciler:
    """The reconciler makes all apps follow the ledger, again and again."""

    def __init__(
        self,
        store: Store,
        scheduler: Scheduler,
        router: Router,
        converger: Converger,
        first_moments: FirstMoments,
    ) -> None:
        """``first_moments`` notes with a live release that its processes did not stay up."""
        self._store = store
        self._scheduler = scheduler
        self._router = router
        self._converger = converger
        self._first_moments = first_moments
        self._said: dict[AppName, str] = {}
        self._changed_apps: ChangedApps | None = None

    def route_all(self, waiting: Collection[AppName]) -> None:
        """Route every app to what runs of it, with one reload.

        Requests of those whose web process is still to be started wait until it is converged, and
        so do those of ``waiting``: what runs of them may be about to stop.
        """
        apps = self._store.apps.list()
        routes = [self._converger.present_route(app, waits=app.name in waiting) for app in apps]
        self._router.routes(routes)

    def converge_all(self) -> Mapping[AppName, Condition]:
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

    def converge_quietly(self, name: AppName) -> Condition:
        """Converge and log what fails: one bad app must not stop the others."""
        try:
            self._tell(name)
            settled = self._converger.converge(name, Quiet(), requests_wait=True)
        except UnknownApp:
            self._said.pop(name, None)
            return Condition.SETTLED
        except PushdeployError as error:
            if self._said.get(name) != error.message:  # it is tried again and again
                _log.warning("app=%s cannot be converged: %s", name, error.message)
            self._said[name] = error.message
        except Exception:  # noqa: BLE001 - a loop that must outlive one bad app
            _log.exception("app=%s cannot be converged", name)
        else:
            self._said.pop(name, None)
            return Condition.SETTLED if settled else Condition.COMING
        return Condition.FAILED

    def _tell(self, name: AppName) -> None:
        """What cannot be written down must not keep an app from being brought in order."""
        try:
            self._first_moments.note(name)
        except PushdeployError as error:
            _log.warning("app=%s its new state is not written down: %s", name, error.message)

    def look_again(self, name: AppName) -> None:
        """Soon, and again while it fails: what should run of it does not."""
        if self._changed_apps is not None:
            self._changed_apps.mark(name)

    def watch(self, stopping: threading.Event) -> None:
        """Converge all, then whatever changes by itself, until ``stopping``; on its own thread."""
        with ThreadPoolExecutor(_WATCHED_AT_ONCE, thread_name_prefix="converge") as pool:
            self._changed_apps = changed = ChangedApps(
                pool, self.converge_quietly, self.converge_all
            )
            try:
                with self._changes(stopping) as changes:
                    for name in changes:
                        changed.mark(name)
            finally:
                changed.close()

    @contextmanager
    def _changes(self, stopping: threading.Event) -> Iterator[Iterator[AppName | None]]:
        """The scheduler's changes, cut off when ``stopping`` is set."""
        with self._scheduler.changes() as changes:
            yield (name for name in iter(changes) if not stopping.is_set())

    def _stop_orphans(self, known: set[AppName]) -> None:
        """Stop tasks of apps that the store does not know: a destroy that was cut short."""
        orphans = [task for task in self._scheduler.tasks() if task.app not in known]
        if orphans and not known:
            _log.error("the database knows no app, but %d tasks run: left alone", len(orphans))
            return
        self._scheduler.stop(orphans, grace_seconds=10)
