"""After live: what follows when a release serves. Trouble is told, and undoes nothing any more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from tempfile import NamedTemporaryFile

from pushdeploy.domain.announcement import announced
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.release import Release
from pushdeploy.domain.task import Task
from pushdeploy.flow.first_moments import FirstMoments
from pushdeploy.flow.swap import places
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.publish.publisher import Publisher
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.route.sites import Sites
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class AfterLive:
    """The work after a release is live is done here."""

    store: Store
    refs: Refs
    scheduler: Scheduler
    snapshots: SnapshotPhase
    lifecycle: Lifecycle
    sites: Sites
    first_moments: FirstMoments
    publisher: Publisher

    def follow(self, release: Release, leaving: Sequence[Task], output: Output) -> None:
        """Move the branch, retire ``leaving``, run the hook, tell, prune, and see it stay up."""
        app = self.store.apps.get(release.app)
        if release.ref is not None:
            self._move_ref(release, release.ref, output)
        if leaving:
            _told(
                lambda: self._retire(app, leaving, output),
                "the old tasks are removed at the next occasion",
                output,
            )
        _told(
            lambda: self._run_hook(app, release, output),
            "the release is live all the same",
            output,
        )
        self._announce(app, release, output)
        _told(
            lambda: self.snapshots.prune(app),
            "old snapshots are removed at the next occasion",
            output,
        )
        _told(
            lambda: self.first_moments.attend(release, output),
            "nobody watches its processes",
            output,
        )

    def _move_ref(self, release: Release, ref: str, output: Output) -> None:
        try:
            moved = self.refs.move(release.app, ref, release.ref_old, release.slug.commit)
        except PushdeployError as error:
            output.trouble(f"{ref} could not be moved: {error.message}")
            return
        if not moved:
            output.trouble(f"{ref} was moved by somebody else meanwhile: it stays there")
        self.store.releases.ref_moved(release.app, release.version)

    def _retire(self, app: App, leaving: Sequence[Task], output: Output) -> None:
        with output.step(f"Retiring {places(leaving)}"):
            self.scheduler.stop(leaving, app.settings.run.stop_grace_seconds)

    def _run_hook(self, app: App, release: Release, output: Output) -> None:
        """It finds the paths that have changed, one a line, in a file that goes with it."""
        paths = self.publisher.changed_paths(app, release)
        with NamedTemporaryFile("w", prefix="pushdeploy-changed-") as file:
            file.writelines(f"{path}\n" for path in paths)
            file.flush()
            changed = {"CHANGED_PATHS": file.name, "CHANGED_COUNT": str(len(paths))}
            self.lifecycle.run("post-deploy", {**self._facts(release), **changed}, output)

    def _facts(self, release: Release) -> dict[str, str]:
        return {
            "APP": str(release.app),
            "RELEASE_VERSION": release.label,
            "SLUG_COMMIT": str(release.slug.commit),
            "BY": str(release.by),
            "HOST": str(self.sites.default_host(release.app)),
        }

    def _announce(self, app: App, release: Release, output: Output) -> None:
        said = announced(app, release, self.sites.url(app.name))
        output.headline(said.headline)
        for warning in said.warnings:
            output.trouble(warning)


def _told(act: Callable[[], object], all_the_same: str, output: Output) -> None:
    """Trouble of ``act`` is told together with what is so all the same."""
    try:
        act()
    except PushdeployError as error:
        output.trouble(f"{error.message}; {all_the_same}")
