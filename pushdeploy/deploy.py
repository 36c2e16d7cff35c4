"""THE FLOW. Push, retry, rebuild and config change differ only in where the slug comes from; then
all of them ship: release, run, route, retire. Read this file first."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.config import changed_config
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import AppName, CommitId, DiskName, HostName, KeyName
from pushdeploy.domain.ports import Builder, Output, Refs, Router, Scheduler
from pushdeploy.domain.release import Candidate, Reason, Release, ReleaseStatus
from pushdeploy.domain.route import default_host, route_of, targets_of
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source
from pushdeploy.domain.task import Task
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.locks import AppLocks, Purpose, TrafficLocks
from pushdeploy.release.phase import ReleasePhase
from pushdeploy.run.manifests import Manifests
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Stages:
    """What the flow runs through, made once by the wiring."""

    store: Store
    locks: AppLocks
    traffic: TrafficLocks
    refs: Refs
    builder: Builder
    phase: ReleasePhase
    manifests: Manifests
    scheduler: Scheduler
    router: Router
    lifecycle: Lifecycle
    domain: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants a change, where they read about it, and how they stop it."""

    by: KeyName
    output: Output
    cancellation: Cancellation


class Deployer:
    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._store = stages.store

    # ------------------------------------------------------------- where the slug comes from

    def deploy(self, source: Source, ref: str, old: CommitId | None, asker: Asker) -> None:
        """Build a pushed commit and ship it; the branch moves when it is live, and not before."""
        purpose = Purpose(f"deploy of {source.commit.short}", asker.by, supersedes=ref)
        with self._turn(source.app, purpose, asker):
            self._refuse_stale(source.app, ref, old)
            if self._already_live(source, ref, old, asker.output):
                return
            slug, said = self._build(source, asker)
            source.reader.keep()
            candidate = Candidate(
                app=source.app,
                slug=slug,
                config=self._store.config.get(source.app),
                disks=self._store.disks.of(source.app),
                reason=Reason.DEPLOY,
                description=f"Deploy {source.commit.short}",
                by=asker.by,
                ref=ref,
                ref_old=old,
            )
            self.ship(candidate, asker, said)

    def rebuild(self, app: AppName, asker: Asker) -> Release:
        """Build the live commit once more and ship it."""
        with self._turn(app, Purpose("rebuild", asker.by), asker):
            live = self._live(app)
            source = self._stages.refs.source(app, live.slug.commit)
            if source is None:
                raise UserError(
                    f"the repository of {app} does not hold {live.slug.commit.short}",
                    "push it again",
                )
            slug, said = self._build(source, asker)
            return self.ship(
                self._wanted(app, slug, Reason.DEPLOY, f"Rebuild {slug.commit.short}", asker),
                asker,
                said,
            )

    def retry(self, app: AppName, asker: Asker) -> Release:
        """Ship the slug of the last release once more, when that one failed.

        The config is what is wanted now; that of a failed config change is tried again.
        """
        with self._turn(app, Purpose("retry", asker.by), asker):
            failed = self._store.releases.latest(app)
            if failed is None or failed.status is not ReleaseStatus.FAILED:
                raise UserError(f"the last release of {app} did not fail", f"releases {app}")
            own = failed.reason in {Reason.CONFIG, Reason.DISK}
            candidate = Candidate(
                app=app,
                slug=failed.slug,
                config=failed.config if own else self._store.config.get(app),
                disks=failed.disks if own else self._store.disks.of(app),
                reason=Reason.RETRY,
                description=f"Retry of {failed.label}: {failed.description}",
                by=asker.by,
                ref=failed.ref,
                ref_old=self._stages.refs.read(app, failed.ref) if failed.ref else None,
            )
            return self.ship(candidate, asker)

    def reconfigure(
        self, app: AppName, changes: Mapping[str, str | None], asker: Asker
    ) -> Release | None:
        """Set (or with None unset) config vars: one release for all of them.

        None when nothing changes, or when the app has no release yet and the vars wait for it.
        """
        with self._turn(app, Purpose("config change", asker.by), asker):
            config, description = changed_config(self._store.config.get(app), changes)
            if not description:
                return None
            live = self._store.releases.current(app)
            if live is None:
                self._store.config.replace(app, config)
                return None
            disks = self._store.disks.of(app)
            return self.ship(
                Candidate(app, live.slug, config, disks, Reason.CONFIG, description, asker.by),
                asker,
            )

    def attach(self, app: AppName, attachment: Attachment, asker: Asker) -> Release | None:
        """Attach a disk; None when the app has no release yet and the disk waits for it."""
        with self._turn(app, Purpose(f"attach {attachment.disk}", asker.by), asker):
            disks = self._store.disks.of(app)
            for other in disks:
                if other.disk == attachment.disk or other.mount_path == attachment.mount_path:
                    raise UserError(
                        f"disk {other.disk} is attached at {other.mount_path}",
                        f"disks:detach {app} {other.disk}",
                    )
            return self._change_disks(app, [*disks, attachment], f"Attach {attachment.disk}", asker)

    def detach(self, app: AppName, disk: DiskName, asker: Asker) -> Release | None:
        """Detach a disk; its data stays where it is."""
        with self._turn(app, Purpose(f"detach {disk}", asker.by), asker):
            disks = self._store.disks.of(app)
            if disk not in [attachment.disk for attachment in disks]:
                raise UserError(f"no disk {disk} is attached to {app}", f"disks:list {app}")
            left = [attachment for attachment in disks if attachment.disk != disk]
            return self._change_disks(app, left, f"Detach {disk}", asker)

    # ------------------------------------------------------------- ship

    def ship(self, candidate: Candidate, asker: Asker, said: Sequence[str] = ()) -> Release:
        """Make a release of ``candidate`` and bring it live, or leave the app exactly as it was.

        Called under the app's lock. ``said`` is what the build printed, kept with the release.
        Raises the failed stage's error, with the release marked ``failed``.
        """
        asker.cancellation.commit()
        release = self._store.releases.create(candidate)
        app = self._store.apps.get(candidate.app)
        manifest = self._stages.manifests.of(app, release)
        with self._recorded(release, asker.output, said) as output:
            output.headline(f"Release {release.label} of {app.name}: {release.description}")
            output.detail(_cut_over(release))
            self._run_release_phase(app, release, manifest, output)
            with ExitStack() as undo:
                tasks = self._start(app, release, manifest, output)
                undo.callback(self._stages.scheduler.stop, tasks, app.settings.stop_grace_seconds)
                with self._stages.traffic.hold(app.name):
                    leaving = self._switch(app, release, tasks, output)
                    undo.callback(self._switch_back, app, leaving, tasks, output)
                    self._store.releases.make_live(app.name, release.version)
                    undo.pop_all()
            self._move_ref(release, output)
            self._retire(app, leaving, output)
            self._after_deploy(release, output)
        return self._store.releases.get(app.name, release.version)

    def _run_release_phase(
        self, app: App, release: Release, manifest: Manifest, output: Output
    ) -> None:
        self._mark(release, ReleaseStatus.RELEASING)
        self._stages.phase.run(manifest, release, app.settings.release_timeout_seconds, output)

    def _start(
        self, app: App, release: Release, manifest: Manifest, output: Output
    ) -> Sequence[Task]:
        self._mark(release, ReleaseStatus.STARTING)
        slots = [] if app.stopped else manifest.slots()
        if not slots:
            output.detail("no process is to be started: ps:scale or ps:start starts some")
            return []
        names = ", ".join(str(slot) for slot in slots)
        with output.step(f"Starting {names}"):
            # Past the release phase the deploy goes on to its end, whoever is still watching.
            return self._stages.scheduler.run(manifest, slots, output, Cancellation())

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
        if not self._stages.refs.move(
            release.app, release.ref, release.ref_old, release.slug.commit
        ):
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

    # ------------------------------------------------------------- what the steps share

    @contextmanager
    def _turn(self, app: AppName, purpose: Purpose, asker: Asker) -> Iterator[None]:
        self._store.apps.get(app)
        with self._stages.locks.hold(app, purpose, asker.output, asker.cancellation):
            self._store.apps.get(app)
            yield

    @contextmanager
    def _recorded(self, release: Release, output: Output, said: Sequence[str]) -> Iterator[Output]:
        """Keep what is said with the release, and mark the release failed when an error passes."""

        def timed(title: str, seconds: float) -> None:
            self._store.releases.add_step(release.app, release.version, title, seconds)

        with self._store.releases.recorder(release.app, release.version) as recorder:
            for line in said:
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

    def _build(self, source: Source, asker: Asker) -> tuple[Slug, Sequence[str]]:
        """The slug, and what was printed on the way to it."""
        said: list[str] = []
        output = asker.output.also(said.append)
        facts = {"APP": str(source.app), "SLUG_COMMIT": str(source.commit), "BY": str(asker.by)}
        self._stages.lifecycle.run("pre-build", facts, output)
        config = self._store.config.get(source.app)
        slug = self._stages.builder.build(source, config, output, asker.cancellation)
        asker.cancellation.check()
        return slug, said

    def _refuse_stale(self, app: AppName, ref: str, old: CommitId | None) -> None:
        at = self._stages.refs.read(app, ref)
        if at != old:
            raise UserError(
                f"{ref.removeprefix('refs/heads/')} has moved to {at.short if at else 'nothing'}"
                " since this push began",
                "git fetch, then push again",
            )

    def _already_live(self, source: Source, ref: str, old: CommitId | None, output: Output) -> bool:
        live = self._store.releases.current(source.app)
        if live is None or live.slug.commit != source.commit:
            return False
        output.headline(f"{source.commit.short} is live already, as {live.label}")
        output.detail(f"ps:rebuild {source.app} builds and releases it again")
        source.reader.keep()
        return self._stages.refs.move(source.app, ref, old, source.commit)

    def _live(self, app: AppName) -> Release:
        live = self._store.releases.current(app)
        if live is None:
            raise UserError(
                f"{app} has no live release", f"git push deploy main, or releases {app}"
            )
        return live

    def _wanted(
        self, app: AppName, slug: Slug, reason: Reason, description: str, asker: Asker
    ) -> Candidate:
        config, disks = self._store.config.get(app), self._store.disks.of(app)
        return Candidate(app, slug, config, disks, reason, description, asker.by)

    def _change_disks(
        self, app: AppName, disks: Sequence[Attachment], description: str, asker: Asker
    ) -> Release | None:
        live = self._store.releases.current(app)
        if live is None:
            self._store.disks.replace(app, disks)
            return None
        config = self._store.config.get(app)
        return self.ship(
            Candidate(app, live.slug, config, disks, Reason.DISK, description, asker.by), asker
        )


def _own_change(release: Release) -> bool:
    return release.reason in {Reason.CONFIG, Reason.DISK}


def _cut_over(release: Release) -> str:
    why = "its disk sees both versions for a moment" if release.disks else "no disk"
    return f"cut-over: overlap ({why}): old and new run side by side until traffic has moved"


def _place(task: Task) -> str:
    return f"{task.slot} of v{task.version}"
