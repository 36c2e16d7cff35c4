"""Traffic: to which tasks the requests of an app go, and when they wait."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.route import held, targets_of
from pushdeploy.domain.task import Task
from pushdeploy.flow.outages import Outages
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.route.sites import Sites


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests of an app are held, switched and let go here."""

    locks: TrafficLocks
    router: Router
    sites: Sites
    outages: Outages

    def alone(self, app: AppName) -> AbstractContextManager[None]:
        """Keep everybody else from the app's route and its tasks meanwhile.

        It may be entered again.
        """
        return self.locks.hold(app)

    def send(
        self,
        app: App,
        version: int | None,
        tasks: Sequence[Task],
        output: Output,
        *,
        leaving: Sequence[Task] = (),
        drain_seconds: float | None = None,
        fallen: Cancellation | None = None,
        down: bool = False,
    ) -> None:
        """Send requests to ``tasks`` of release ``version``, and none to ``leaving`` any more.

        ``down``: there should be web processes among ``tasks`` and are none: then requests wait,
        as long as that can be borne. Returns and raises as ``Router.switch``.
        """
        route = self.sites.route(app, version, tasks)
        if not down:
            self.outages.over(app.name)
        elif self.outages.bearable(app.name):
            route = held(route)
        seconds = app.settings.front.drain_seconds if drain_seconds is None else drain_seconds
        self.router.switch(route, targets_of(leaving), seconds, output, fallen)

    def refresh(self, app: App, version: int | None, tasks: Sequence[Task]) -> None:
        """Put new hosts, settings and rules in force; ``tasks`` serve as before."""
        self.router.refresh(self.sites.route(app, version, tasks))

    @contextmanager
    def holding(
        self, app: App, old: Sequence[Task], drain_seconds: float, output: Output
    ) -> Iterator[None]:
        """Requests wait from now on, also afterwards; while inside nothing new reaches ``old``."""
        self.locks.requests_wait(app.name)
        route = self.sites.route(app, old[0].version, old)
        with self.router.hold(route, targets_of(old), drain_seconds, output):
            yield
