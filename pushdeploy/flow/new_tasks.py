"""The new tasks of a release, and its release command: made ready early, begun when it is time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.release import Release, ReleaseStatus
from pushdeploy.domain.task import Slot, Task
from pushdeploy.flow.change import Change
from pushdeploy.locks.start_gate import OneTimeGate
from pushdeploy.release.phase import ReleasePhase
from pushdeploy.store import Store

_READY_SECONDS = 30
"""How long the new tasks may take to be made ready while the old ones still serve."""


@dataclass(frozen=True, slots=True)
class NewTasks:
    """The tasks of a release, in their containers or on the way there, behind a gate."""

    store: Store
    change: Change
    slots: Sequence[Slot]
    gate: OneTimeGate
    started: "Future[Sequence[Task]]"

    def await_ready(self) -> str:
        """Return a container, when all of them wait to begin; none is awaited for ever.

        Empty where there is no such container. Raises what keeps one from being made.
        """
        if not self.slots:
            return ""
        with self.change.output.step(f"Making {_named(self.slots)} ready"):
            if self.gate.await_ready(len(self.slots), _READY_SECONDS):
                return next(iter(self.gate.containers), "")
            if self.started.done():
                self.started.result()
        return ""

    def start(self) -> Sequence[Task]:
        """Let them begin: the tasks, when all are healthy."""
        output = self.change.output
        _mark(self.store, self.change.release, ReleaseStatus.STARTING)
        self.gate.open()
        if not self.slots:
            output.detail(_why_none(self.change))
            return self.started.result()
        with output.step(f"Starting {_named(self.slots)}"):
            return self.started.result()


@dataclass(frozen=True, slots=True)
class Starts:
    """New tasks and the release command of a change are made ready here."""

    store: Store
    scheduler: Scheduler
    phase: ReleasePhase

    @contextmanager
    def made_ready(self, change: Change) -> Iterator[NewTasks]:
        """The new tasks are made ready meanwhile. They never begin when nobody has started them."""
        gate, manifest = OneTimeGate(), change.manifest
        slots = [] if change.app.stopped else manifest.slots()
        with ThreadPoolExecutor(1, thread_name_prefix=f"start-{change.app.name}") as pool:
            started = pool.submit(
                self.scheduler.run, manifest, slots, change.output, change.cancellation, gate
            )
            started.add_done_callback(lambda _: gate.shut())
            try:
                yield NewTasks(self.store, change, slots, gate, started)
            finally:
                gate.shut()

    @contextmanager
    def release_phase(self, change: Change, new: NewTasks) -> Iterator[Callable[[], None]]:
        """The container of the release command, where one is to run, is ready while inside. What is
        given runs it.

        It shares the network of one of the new tasks. All of those wait by then: so none that
        cannot be made takes the others, and that network, away from a command that has begun.
        """
        if not change.migrates:
            yield _no_release_phase
            return
        seconds = change.app.settings.deploy.release_timeout_seconds
        with self.phase.made_ready(
            change.manifest, change.release, seconds, change.output, new.await_ready()
        ) as run:

            def migrate() -> None:
                _mark(self.store, change.release, ReleaseStatus.RELEASING)
                run()

            yield migrate

    @contextmanager
    def confirmed(self, tasks: Sequence[Task]) -> Iterator[None]:
        """The engine looks after ``tasks`` by the end of what is inside, and not while somebody
        waits for traffic to move. ``BootFailed`` when one of them has ended.

        Also where that failed: then the end is why.
        """
        try:
            yield
        except PushdeployError:
            self.scheduler.confirm(tasks)
            raise
        self.scheduler.confirm(tasks)


def _mark(store: Store, release: Release, status: ReleaseStatus) -> None:
    store.releases.set_status(release.app, release.version, status)


def _no_release_phase() -> None:
    """Of a release that has none, or skips it."""


def _why_none(change: Change) -> str:
    published = change.release.slug.published
    if published is not None and not change.app.stopped:
        return f"no process is to be started: visitors get {published.shown}"
    return "no process is to be started: ps:scale or ps:start starts some"


def _named(slots: Sequence[Slot]) -> str:
    return ", ".join(map(str, slots))
