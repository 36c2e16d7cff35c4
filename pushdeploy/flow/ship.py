"""Ship: bring a candidate live, or leave the app exactly as it was. Release, run, route, retire.

This one function is the product; everything that makes a release ends here."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import CutOver, cut_over_of, cut_over_reason
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.errands import Errands
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.release import Candidate, Release
from pushdeploy.flow.after_live import AfterLive
from pushdeploy.flow.building import Preparation
from pushdeploy.flow.change import Change
from pushdeploy.flow.converge import Converger
from pushdeploy.flow.cutover import CutOvers
from pushdeploy.flow.records import Records
from pushdeploy.publish.publisher import Publisher
from pushdeploy.run.manifests import Manifests
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Shipper:
    """A candidate becomes a live release here."""

    store: Store
    manifests: Manifests
    converger: Converger
    records: Records
    cut_overs: CutOvers
    after_live: AfterLive
    errands: Errands
    publisher: Publisher

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
        app = self.store.apps.get(candidate.app)
        candidate = _as_the_app_says(app, candidate)
        release = self.store.releases.create(candidate)
        with self.records.of(release, asker.output, made or Preparation()) as output:
            self._announce(app, release, output)
            change = Change(
                app=app,
                candidate=candidate,
                release=release,
                manifest=self.manifests.of(app, release),
                output=output,
                before_switch=before_switch or _nothing_more,
                cancellation=asker.cancellation,
            )
            self.publisher.ensure(app, release.slug, output)
            leaving = self.cut_overs.bring_live(change)
            self.after_live.follow(release, leaving, output)
        self.errands.collect(app.name)
        self.errands.certify()
        return self.store.releases.get(app.name, release.version)

    def _refuse_restore(self, candidate: Candidate) -> None:
        """Raise ``UserError`` while nothing has been stopped: what cannot be given to its disks."""
        if candidate.restore is None:
            return
        found = self.store.snapshots.get(candidate.app, candidate.restore)
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
        if self.store.apps.get(app).put_back is None:
            return
        self.converger.put_back(app, output)
        self.converger.try_to_converge(app, output)

    def _announce(self, app: App, release: Release, output: Output) -> None:
        live = self.store.releases.current(app.name)
        output.headline(f"Release {release.label} of {app.name}: {release.description}")
        output.detail(_told(app, release, live))
        if live is not None and live.error:  # it did not stay up
            output.trouble(live.error)


def _told(app: App, release: Release, live: Release | None) -> str:
    """Which cut-over it is, why, and what that means for those who are served."""
    why = cut_over_reason(release.disks, app.settings.disks.cut_over)
    if release.restore is not None:
        why = "a restore has the disks for itself"
    then = "old and new run side by side until traffic has moved"
    if release.cut_over is CutOver.EXCLUSIVE:
        then = "requests wait while one takes over from the other"
    if app.stopped:
        then = f"{app.name} is stopped, and no process of it starts"
    elif release.slug.published is not None:
        then = "files are switched, and nobody waits"
    elif live is None:
        then = "nothing serves yet"
    return f"cut-over: {release.cut_over} ({why}): {then}"


def _as_the_app_says(app: App, candidate: Candidate) -> Candidate:
    """A restore has the disks for itself, whatever the app's own way is."""
    wanted = CutOver.EXCLUSIVE if candidate.restore else app.settings.disks.cut_over
    cut_over, scheduler = cut_over_of(candidate.disks, wanted), app.settings.run.scheduler
    return replace(candidate, cut_over=cut_over, scheduler=scheduler)


def _nothing_more() -> None:
    """Before a switch that waits for nobody."""
