"""Records: what is said while a release is made is kept with it, and why it failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.errors import Cancelled, PushdeployError
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.release import Reason, Release
from pushdeploy.flow.building import Preparation
from pushdeploy.release.snapshots import covered
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Records:
    """The output of a release is kept while it is printed."""

    store: Store

    @contextmanager
    def of(self, release: Release, output: Output, made: Preparation) -> Iterator[Output]:
        """Keep the lines of an output, behind those that were printed before.

        An error marks the release failed, and is told what serves then and what to type next.
        """

        def timed(title: str, seconds: float) -> None:
            self.store.releases.add_step(release.app, release.version, title, seconds)

        with self.store.releases.recorder(release.app, release.version) as recorder:
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

    def _fail(self, release: Release, why: str) -> None:
        """Mark ``release`` failed, unless it went live before the error came."""
        if self.store.releases.get(release.app, release.version).status.unfinished:
            self.store.releases.fail(release.app, release.version, why)

    def _serving(self, failed: Release) -> str:
        app, live = self.store.apps.get(failed.app), self.store.releases.current(failed.app)
        failed = self.store.releases.get(failed.app, failed.version)
        if app.put_back is not None:
            return f"{failed.label} failed and its disks are not put back yet: nothing serves"
        data = _data_after(app, failed)
        if live is None:
            return f"{failed.label} failed and nothing was live before; its slug is kept{data}"
        own_change = failed.reason in {Reason.CONFIG, Reason.DISK}
        kept = f"; config and disks are as in {live.label}" if own_change else ""
        return (
            f"{failed.label} failed; {live.label} ({live.slug.commit.short}) goes on serving"
            f"{kept}{data}"
        )


def _hint_of_cancelled(release: Release) -> str:
    if release.restore is not None:
        return f"releases {release.app} shows the releases that were tried"
    return f"releases:retry {release.app} starts it once more, without a build"


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
