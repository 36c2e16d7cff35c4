"""What a release needs on its way to be live: its means, and its new tasks behind their gate."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.release import Candidate, Release, ReleaseStatus
from pushdeploy.domain.task import Slot, Task
from pushdeploy.locks.start_gate import StartGate
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.locks.writers import Writers
from pushdeploy.release.phase import ReleasePhase
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.route.sites import Sites
from pushdeploy.store import Store

_READY_SECONDS = 30
"""How long the new tasks may take to be made ready while the old ones still serve."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a cut-over works with, made once by the wiring.

    ``put_back`` makes an app's disks what its live release left, where that is due; ``converge``
    makes what runs follow the ledger as well. Neither does anything where all is as it should be.
    What one of them could not do is tried again, and again, after ``look_again``.
    """

    store: Store
    traffic: TrafficLocks
    writers: Writers
    phase: ReleasePhase
    snapshots: SnapshotPhase
    scheduler: Scheduler
    router: Router
    sites: Sites
    put_back: Callable[[AppName, Output], None]
    converge: Callable[[AppName, Output], object]
    look_again: Callable[[AppName], None]

    def mark(self, release: Release, status: ReleaseStatus) -> None:
        self.store.releases.set_status(release.app, release.version, status)


@dataclass(frozen=True, slots=True)
class Change:
    """A release on its way; ``before_switch`` is called when all is ready, and may raise.
    Whoever asked for it can stop it by ``cancellation`` until ``pass_point_of_no_return``."""

    app: App
    candidate: Candidate
    release: Release
    manifest: Manifest
    output: Output
    before_switch: Callable[[], None]
    cancellation: Cancellation

    @property
    def migrates(self) -> bool:
        """Whether a release command runs, which is never cut in half."""
        return self.candidate.release_phase and self.release.slug.release_command is not None

    def is_old(self, task: Task) -> bool:
        return task.version != self.release.version

    def pass_point_of_no_return(self) -> None:
        """``Cancelled`` where somebody has stopped the change before. Nothing can from now on."""
        self.cancellation.commit()
        self.output.detail("from here on Ctrl-C only stops watching: it goes on to its end")


@dataclass(frozen=True, slots=True)
class NewTasks:
    """The tasks of a release, in their containers or on the way there, behind a gate."""

    means: Means
    change: Change
    slots: Sequence[Slot]
    gate: StartGate
    started: "Future[Sequence[Task]]"

    def await_ready(self) -> str:
        """One of their containers, when all of them wait to begin; none is awaited for ever.

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
        self.means.mark(self.change.release, ReleaseStatus.STARTING)
        self.gate.open()
        if not self.slots:
            output.detail("no process is to be started: ps:scale or ps:start starts some")
            return self.started.result()
        with output.step(f"Starting {_named(self.slots)}"):
            return self.started.result()


@contextmanager
def made_ready(means: Means, change: Change) -> Iterator[NewTasks]:
    """The new tasks are made ready meanwhile. They never begin when nobody has started them."""
    gate, manifest = StartGate(), change.manifest
    slots = [] if change.app.stopped else manifest.slots()
    with ThreadPoolExecutor(1, thread_name_prefix=f"start-{change.app.name}") as pool:
        started = pool.submit(
            means.scheduler.run, manifest, slots, change.output, change.cancellation, gate
        )
        started.add_done_callback(lambda _: gate.shut())
        try:
            yield NewTasks(means, change, slots, gate, started)
        finally:
            gate.shut()


@contextmanager
def release_phase(means: Means, change: Change, new: NewTasks) -> Iterator[Callable[[], None]]:
    """The container of the release command, where one is to run, is ready while inside. What is
    given runs it.

    It shares the network of one of the new tasks. All of those wait by then: so none that cannot
    be made takes the others, and that network, away from a command that has begun.
    """
    if not change.migrates:
        yield _no_release_phase
        return
    seconds = change.app.settings.deploy.release_timeout_seconds
    with means.phase.made_ready(
        change.manifest, change.release, seconds, change.output, new.await_ready()
    ) as run:

        def migrate() -> None:
            means.mark(change.release, ReleaseStatus.RELEASING)
            run()

        yield migrate


@contextmanager
def confirmed(means: Means, tasks: Sequence[Task]) -> Iterator[None]:
    """The engine looks after ``tasks`` by the end of what is inside, and not while somebody waits
    for traffic to move. ``BootFailed`` when one of them has ended.

    Also where that failed: then the end is why.
    """
    try:
        yield
    except PushdeployError:
        means.scheduler.confirm(tasks)
        raise
    means.scheduler.confirm(tasks)


def _no_release_phase() -> None:
    """Of a release that has none, or skips it."""


def _named(slots: Sequence[Slot]) -> str:
    return ", ".join(map(str, slots))
