"""Ship: bring a candidate live, or leave the app exactly as it was. Release, run, route, retire.

This one function is the product; everything that makes a release ends here."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Busy, PushdeployError
from pushdeploy.domain.gate import Gate
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import AppName, HostName, KeyName
from pushdeploy.domain.ports import Output, Refs, Router, Scheduler
from pushdeploy.domain.release import Candidate, Reason, Release, ReleaseStatus
from pushdeploy.domain.route import default_host, route_of, targets_of
from pushdeploy.domain.task import Task
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.locks import TrafficLocks
from pushdeploy.release.phase import ReleasePhase
from pushdeploy.run.manifests import Manifests
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Stages:
    """What a release runs through, made once by the wiring; ``after_live`` returns at once."""

    store: Store
    traffic: TrafficLocks
    refs: Refs
    phase: ReleasePhase
    manifests: Manifests
    scheduler: Scheduler
    router: Router
    lifecycle: Lifecycle
    domain: str
    after_live: Callable[[AppName], None] | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants a change, where they read about it, and how they stop it."""

    by: KeyName
    output: Output
    cancellation: Cancellation


@dataclass(frozen=True, slots=True)
class Preparation:
    """What was printed before there was a release, and how long its steps took: its build."""

    lines: list[str] = field(default_factory=list)
    steps: list[tuple[str, float]] = field(default_factory=list)

    def add_step(self, title: str, seconds: float) -> None:
        self.steps.append((title, seconds))


class Shipper:
    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._store = stages.store

    def ship(
        self,
        candidate: Candidate,
        asker: Asker,
        made: Preparation | None = None,
        before_switch: Callable[[], None] | None = None,
    ) -> Release:
        """Make a release of ``candidate`` and bring it live, or leave the app exactly as it was.

        Called under the app's lock. ``made`` tells of the build, and is kept with the release.
        ``before_switch`` is called when all is ready and may raise. Raises the failed stage's
        error, with the release marked ``failed``.
        """
        asker.cancellation.commit()
        release = self._store.releases.create(candidate)
        app = self._store.apps.get(candidate.app)
        with self._recorded(release, asker.output, made or Preparation()) as output:
            manifest = self._stages.manifests.of(app, release)
            output.headline(f"Release {release.label} of {app.name}: {release.description}")
            output.detail(_cut_over(release))
            with ExitStack() as undo:
                tasks = self._release_and_start(app, candidate, release, manifest, output)
                undo.callback(self._stages.scheduler.stop, tasks, app.settings.stop_grace_seconds)
                if before_switch is not None:
                    before_switch()
                with self._stages.traffic.hold(app.name):
                    leaving = self._switch(app, release, tasks, output)
                    undo.callback(self._switch_back, app, leaving, tasks, output)
                    self._store.releases.make_live(app.name, release.version)
                    undo.pop_all()
            self._move_ref(release, output)
            self._retire(app, leaving, output)
            self._after_deploy(release, output)
        if self._stages.after_live is not None:
            self._stages.after_live(app.name)
        return self._store.releases.get(app.name, release.version)

    def refuse_locked(self, app: App) -> None:
        """``Busy`` when a person has locked the app, with their message."""
        if app.lock is not None:
            why = f": {app.lock.message}" if app.lock.message else ""
            raise Busy(
                f"{app.name} was locked by {app.lock.by} at {app.lock.at:%Y-%m-%d %H:%M} UTC{why}",
                f"apps:unlock {app.name}",
            )

    def _release_and_start(
        self,
        app: App,
        candidate: Candidate,
        release: Release,
        manifest: Manifest,
        output: Output,
    ) -> Sequence[Task]:
        """The release command, then the tasks; they are made ready while it runs."""
        gate = Gate()
        slots = [] if app.stopped else manifest.slots()
        with ThreadPoolExecutor(1, thread_name_prefix=f"start-{app.name}") as pool:
            # Past this point the deploy goes on to its end, whoever is still watching.
            started = pool.submit(
                self._stages.scheduler.run, manifest, slots, output, Cancellation(), gate
            )
            try:
                if candidate.release_phase:
                    self._run_release_phase(app, release, manifest, output)
                self._mark(release, ReleaseStatus.STARTING)
            except BaseException:
                gate.shut()
                raise
            gate.open()
            if not slots:
                output.detail("no process is to be started: ps:scale or ps:start starts some")
                return started.result()
            with output.step(f"Starting {', '.join(str(slot) for slot in slots)}"):
                return started.result()

    def _run_release_phase(
        self, app: App, release: Release, manifest: Manifest, output: Output
    ) -> None:
        self._mark(release, ReleaseStatus.RELEASING)
        self._stages.phase.run(manifest, release, app.settings.release_timeout_seconds, output)

    def _switch(
        self, app: App, release: Release, tasks: Sequence[Task], output: Output
    ) -> Sequence[Task]:
        """Move traffic to ``tasks``; the tasks that are to retire."""
        self._mark(release, ReleaseStatus.SWITCHING)
        leaving = [
            t for t in self._stages.scheduler.tasks(app.name) if t.version != release.version
        ]
        route = route_of(app, self._hosts(app), release.version, tasks)
        with output.step("Switching traffic"):
            self._stages.router.switch(
                route, targets_of(leaving), app.settings.drain_seconds, output
            )
        return leaving

    def _switch_back(
        self, app: App, former: Sequence[Task], tasks: Sequence[Task], output: Output
    ) -> None:
        """The undo of a switch that could not be written down: traffic returns to ``former``."""
        version = former[0].version if former else None
        route = route_of(app, self._hosts(app), version, former)
        self._stages.router.switch(route, targets_of(tasks), app.settings.drain_seconds, output)

    def _hosts(self, app: App) -> Sequence[HostName]:
        return [default_host(app.name, self._stages.domain), *self._store.domains.of(app.name)]

    def _move_ref(self, release: Release, output: Output) -> None:
        if release.ref is None:
            return
        try:
            moved = self._stages.refs.move(
                release.app, release.ref, release.ref_old, release.slug.commit
            )
        except PushdeployError as error:
            output.trouble(f"{release.ref} could not be moved: {error.message}")
            return
        if not moved:
            output.trouble(f"{release.ref} was moved by somebody else meanwhile: it stays there")
        self._store.releases.ref_moved(release.app, release.version)

    def _retire(self, app: App, leaving: Sequence[Task], output: Output) -> None:
        if not leaving:
            return
        try:
            with output.step(f"Retiring {', '.join(sorted({_place(task) for task in leaving}))}"):
                self._stages.scheduler.stop(leaving, app.settings.stop_grace_seconds)
        except PushdeployError as error:
            output.trouble(f"{error.message}; the old tasks are removed at the next occasion")

    def _after_deploy(self, release: Release, output: Output) -> None:
        host = default_host(release.app, self._stages.domain)
        facts = {
            "APP": str(release.app),
            "RELEASE_VERSION": release.label,
            "SLUG_COMMIT": str(release.slug.commit),
            "BY": str(release.by),
            "HOST": str(host),
        }
        try:
            self._stages.lifecycle.run("post-deploy", facts, output)
        except PushdeployError as error:
            output.trouble(f"{error.message}; the release is live all the same")
        output.headline(f"{release.app} {release.label} is live: {host}")

    @contextmanager
    def _recorded(self, release: Release, output: Output, made: Preparation) -> Iterator[Output]:
        """Keep what is said with the release, and mark the release failed when an error passes."""

        def timed(title: str, seconds: float) -> None:
            self._store.releases.add_step(release.app, release.version, title, seconds)

        with self._store.releases.recorder(release.app, release.version) as recorder:
            for title, seconds in made.steps:
                timed(title, seconds)
            for line in made.lines:
                recorder.write(line)
            try:
                yield output.also(recorder.write, timed)
            except PushdeployError as error:
                self._fail(release, error.message)
                error.serving = self._serving(release)
                for line in (error.message, error.serving, error.hint):
                    recorder.write(f" !     {line}".rstrip())
                raise
            except BaseException:
                self._fail(release, "internal error")
                raise

    def _fail(self, release: Release, why: str) -> None:
        """Mark ``release`` failed, unless it went live before the error came."""
        if self._store.releases.get(release.app, release.version).status.unfinished:
            self._store.releases.fail(release.app, release.version, why)

    def _serving(self, failed: Release) -> str:
        live = self._store.releases.current(failed.app)
        kept = f"; config and disks are as in {live.label}" if live and _own_change(failed) else ""
        if live is None:
            return f"{failed.label} failed and nothing was live before; its slug is kept"
        return (
            f"{failed.label} failed; {live.label} ({live.slug.commit.short}) goes on serving{kept}"
        )

    def _mark(self, release: Release, status: ReleaseStatus) -> None:
        self._store.releases.set_status(release.app, release.version, status)


def _own_change(release: Release) -> bool:
    return release.reason in {Reason.CONFIG, Reason.DISK}


def _cut_over(release: Release) -> str:
    why = "its disk sees both versions for a moment" if release.disks else "no disk"
    return f"cut-over: overlap ({why}): old and new run side by side until traffic has moved"


def _place(task: Task) -> str:
    return f"{task.slot} of v{task.version}"
