"""Ship: bring a candidate live, or leave the app exactly as it was. Release, run, route, retire.

This one function is the product; everything that makes a release ends here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pushdeploy.domain.announcement import announced
from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import CutOver, cut_over_of, cut_over_reason
from pushdeploy.domain.errors import Busy, Cancelled, PushdeployError, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.release import Candidate, Reason, Release
from pushdeploy.domain.task import Task
from pushdeploy.flow.change import Change, Means
from pushdeploy.flow.cutover import bring_live, places
from pushdeploy.flow.watch import Watch
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.release.snapshots import covered
from pushdeploy.run.manifests import Manifests


@dataclass(frozen=True, slots=True)
class Stages:
    """What a release runs through, made once by the wiring; ``after_live`` returns at once."""

    means: Means
    refs: Refs
    manifests: Manifests
    lifecycle: Lifecycle
    watch: Watch
    after_live: Callable[[AppName], None] | None = None


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
        self._store = stages.means.store

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
        error, or ``Cancelled`` until the point of no return, with the release marked ``failed``.
        """
        self._refuse_restore(candidate)
        asker.cancellation.check()
        self._bring_in_order(candidate.app, asker.output)
        app = self._store.apps.get(candidate.app)
        candidate = _with_cut_over(app, candidate)
        release = self._store.releases.create(candidate)
        with self._recorded(release, asker.output, made or Preparation()) as output:
            output.headline(f"Release {release.label} of {app.name}: {release.description}")
            output.detail(self._told(app, release))
            self._tell_of_trouble(app.name, output)
            manifest = self._stages.manifests.of(app, release)
            change = Change(
                app=app,
                candidate=candidate,
                release=release,
                manifest=manifest,
                output=output,
                before_switch=before_switch or _nothing_more,
                cancellation=asker.cancellation,
            )
            leaving = bring_live(self._stages.means, change)
            self._move_ref(release, output)
            self._retire(app, leaving, output)
            self._after_deploy(release, output)
            self._prune(app, output)
            self._attend(release, output)
        if self._stages.after_live is not None:
            self._stages.after_live(app.name)
        return self._store.releases.get(app.name, release.version)

    def _tell_of_trouble(self, app: AppName, output: Output) -> None:
        """That the release which is live now did not stay up."""
        live = self._store.releases.current(app)
        if live is not None and live.error:
            output.trouble(live.error)

    def refuse_locked(self, app: App) -> None:
        """``Busy`` when a person has locked the app, with their message."""
        if app.lock is not None:
            why = f": {app.lock.message}" if app.lock.message else ""
            raise Busy(
                f"{app.name} was locked by {app.lock.by} at {app.lock.at:%Y-%m-%d %H:%M} UTC{why}",
                f"apps:unlock {app.name}",
            )

    def _refuse_restore(self, candidate: Candidate) -> None:
        """``UserError`` while nothing has been stopped: what cannot be given to its disks."""
        if candidate.restore is None:
            return
        found = self._store.snapshots.get(candidate.app, candidate.restore)
        attached = {attachment.disk for attachment in candidate.disks}
        for disk in found.disks:
            if disk not in attached:
                raise UserError(
                    f"{found.label} is of disk {disk}, which is not attached to {candidate.app}",
                    f"disks:attach {candidate.app} {disk} /PATH, first",
                )

    def _bring_in_order(self, app: AppName, output: Output) -> None:
        """Put its disks back where that is due, and let the live release serve meanwhile: should
        this one fail, nobody else would start it. One that does not start is to be replaced."""
        if self._store.apps.get(app).put_back is None:
            return
        self._stages.means.put_back(app, output)
        try:
            self._stages.means.converge(app, output)
        except PushdeployError as error:
            output.trouble(error.message)

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
            with output.step(f"Retiring {places(leaving)}"):
                self._stages.means.scheduler.stop(leaving, app.settings.run.stop_grace_seconds)
        except PushdeployError as error:
            output.trouble(f"{error.message}; the old tasks are removed at the next occasion")

    def _prune(self, app: App, output: Output) -> None:
        try:
            self._stages.means.snapshots.prune(app)
        except PushdeployError as error:
            output.trouble(f"{error.message}; old snapshots are removed at the next occasion")

    def _attend(self, release: Release, output: Output) -> None:
        try:
            self._stages.watch.attend(release, output)
        except PushdeployError as error:
            output.trouble(f"{error.message}; nobody watches its processes")

    def _after_deploy(self, release: Release, output: Output) -> None:
        sites = self._stages.means.sites
        facts = {
            "APP": str(release.app),
            "RELEASE_VERSION": release.label,
            "SLUG_COMMIT": str(release.slug.commit),
            "BY": str(release.by),
            "HOST": str(sites.default_host(release.app)),
        }
        try:
            self._stages.lifecycle.run("post-deploy", facts, output)
        except PushdeployError as error:
            output.trouble(f"{error.message}; the release is live all the same")
        app = self._store.apps.get(release.app)
        said = announced(app, release, sites.url(app.name))
        output.headline(said.headline)
        for warning in said.warnings:
            output.trouble(warning)

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
                if isinstance(error, Cancelled):
                    error.hint = _hint_of_cancelled(release)
                for line in (error.message, error.serving, error.hint):
                    recorder.write(f" !     {line}".rstrip())
                raise
            except BaseException:
                self._fail(release, "internal error")
                raise

    def _told(self, app: App, release: Release) -> str:
        why = cut_over_reason(release.disks, app.settings.disks.cut_over)
        if release.restore is not None:
            why = "a restore has the disks for itself"
        then = "old and new run side by side until traffic has moved"
        if release.cut_over is CutOver.EXCLUSIVE:
            then = "requests wait while one takes over from the other"
        if app.stopped:
            then = f"{app.name} is stopped, and no process of it starts"
        elif self._store.releases.current(release.app) is None:
            then = "nothing serves yet"
        return f"cut-over: {release.cut_over} ({why}): {then}"

    def _fail(self, release: Release, why: str) -> None:
        """Mark ``release`` failed, unless it went live before the error came."""
        if self._store.releases.get(release.app, release.version).status.unfinished:
            self._store.releases.fail(release.app, release.version, why)

    def _serving(self, failed: Release) -> str:
        live = self._store.releases.current(failed.app)
        failed = self._store.releases.get(failed.app, failed.version)
        if self._store.apps.get(failed.app).put_back is not None:
            return f"{failed.label} failed and its disks are not put back yet: nothing serves"
        data = _data_after(self._store.apps.get(failed.app), failed)
        if live is None:
            return f"{failed.label} failed and nothing was live before; its slug is kept{data}"
        kept = f"; config and disks are as in {live.label}" if _own_change(failed) else ""
        return (
            f"{failed.label} failed; {live.label} ({live.slug.commit.short}) goes on serving"
            f"{kept}{data}"
        )


def _with_cut_over(app: App, candidate: Candidate) -> Candidate:
    """A restore has the disks for itself, whatever the app's own way is."""
    wanted = CutOver.EXCLUSIVE if candidate.restore else app.settings.disks.cut_over
    return replace(candidate, cut_over=cut_over_of(candidate.disks, wanted))


def _hint_of_cancelled(release: Release) -> str:
    if release.restore is not None:
        return f"releases {release.app} shows what was tried"
    return f"releases:retry {release.app} starts it once more, without a build"


def _own_change(release: Release) -> bool:
    return release.reason in {Reason.CONFIG, Reason.DISK}


def _data_after(app: App, failed: Release) -> str:
    """What a failed release has left of the data, as far as we can tell."""
    if failed.snapshot is None:
        return ""
    if failed.cut_over is CutOver.EXCLUSIVE:
        kept = covered(app, failed.disks)
        others = [each.disk for each in failed.disks if each.disk not in kept]
        but = f", but for {', '.join(others)}, with snapshots=off" if others else ""
        return f"; the data is as it was before{but}"
    return (
        f"; the data was not put back, for the old version has gone on writing:"
        f" disks:restore {failed.app} s{failed.snapshot} would"
    )


def _nothing_more() -> None:
    """Before a switch that waits for nobody."""
