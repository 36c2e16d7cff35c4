"""A swap: requests wait while the old tasks of an app stop and others take their place. For an app
whose disks have one writer at a time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic

from pushdeploy.domain.app import App
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.route import targets_of
from pushdeploy.domain.task import Task
from pushdeploy.flow.traffic import Traffic

STOP_SECONDS = 10
"""How long requests and processes of the old version may go on while others wait for them."""


@dataclass(slots=True)
class Swap:
    """Begun by ``make_way``; from then on nothing serves and requests wait. ``stopping``: the old
    tasks do not serve any more. Times are of the monotonic clock, 0 for what has not been."""

    traffic: Traffic
    scheduler: Scheduler
    app: App
    output: Output
    stopping: bool = False
    held_at: float = 0.0
    passed_at: float = 0.0

    def make_way(self, old: Sequence[Task], steps: Output, *, hold: bool = True) -> None:
        """Hold requests, unless others serve on, and stop ``old``; ``steps`` is told of both."""
        settings = self.app.settings
        with ExitStack() as nothing_new:
            if hold and targets_of(old):
                with steps.step("Holding requests"):
                    self.held_at = monotonic()
                    drain_seconds = min(settings.front.drain_seconds, STOP_SECONDS)
                    nothing_new.enter_context(
                        self.traffic.holding(self.app, old, drain_seconds, self.output)
                    )
            self.stopping = True
            if old:
                with steps.step(f"Stopping {places(old)}"):
                    self.scheduler.stop(old, min(settings.run.stop_grace_seconds, STOP_SECONDS))

    @property
    def held_seconds(self) -> float:
        """Return how long requests were held, as far as ``passed_at`` says."""
        return self.passed_at - self.held_at if self.held_at else 0.0


@dataclass(frozen=True, slots=True)
class Swaps:
    """A swap is made for each cut-over that holds requests."""

    traffic: Traffic
    scheduler: Scheduler

    @contextmanager
    def of(self, app: App, output: Output) -> Iterator[Swap]:
        """Entered with the app's traffic in hand. At the end its requests go on, whatever came."""
        try:
            yield Swap(self.traffic, self.scheduler, app, output)
        finally:
            self.traffic.locks.requests_go_on(app.name)


def places(tasks: Sequence[Task]) -> str:
    """``web.1 of v4, worker.1 of v4``."""
    return ", ".join(sorted({f"{task.slot} of v{task.version}" for task in tasks}))
