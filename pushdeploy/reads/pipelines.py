"""Tells how the apps of a pipeline stand to one another: who is ahead of whom, and what differs."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.comparison import Comparison, Side, compare
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.history import Divergence
from pushdeploy.domain.names import AppName
from pushdeploy.domain.pipeline import Member, Pipeline
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.release import Release
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Standing:
    """An app of a pipeline beside ``upstream``, the live release of the stage before it.

    ``distance`` tells which commits lie between the two; None where they cannot be compared.
    """

    member: Member
    live: Release | None
    upstream: Release | None
    distance: Divergence | None

    @property
    def same_slug(self) -> bool | None:
        """Return None where one of the two has nothing live, else whether the slugs are the
        same.
        """
        if self.live is None or self.upstream is None:
            return None
        return self.live.slug.image == self.upstream.slug.image


@dataclass(frozen=True, slots=True)
class StageDifference:
    """An app differs from one of another stage in these values, and has these commits between."""

    comparison: Comparison
    divergence: Divergence


@dataclass(frozen=True, slots=True)
class PipelineReader:
    """The reader tells how the apps of a pipeline differ."""

    store: Store
    refs: Refs

    def all(self) -> Sequence[Pipeline]:
        return self.store.pipelines.list()

    def standings(self, pipeline: Pipeline) -> Sequence[Standing]:
        """Return a standing for each app of the pipeline, in its order."""
        return [self._standing(pipeline, member) for member in pipeline.members]

    def differences(self, pipeline: Pipeline, source: AppName) -> Sequence[StageDifference]:
        """Compare ``source`` with the apps of the next stage, and those before with one in the
        last.

        ``UserError`` where there is nothing to compare.
        """
        pairs = [(source, target) for target in pipeline.downstream(source)]
        pairs = pairs or [(before, source) for before in self._live_upstream(pipeline, source)]
        if not pairs:
            raise UserError(
                f"{pipeline.name} has no stage beside that of {source}",
                f"pipelines:info {pipeline.name}",
            )
        return [self._difference(*pair) for pair in pairs]

    def _standing(self, pipeline: Pipeline, member: Member) -> Standing:
        live = self.store.releases.current(member.app)
        lives = (self.store.releases.current(app) for app in pipeline.upstream(member.app))
        upstream = next((release for release in lives if release is not None), None)
        return Standing(member, live, upstream, self._distance(upstream, live))

    def _distance(self, upstream: Release | None, live: Release | None) -> Divergence | None:
        if upstream is None or live is None:
            return None
        try:
            return self._divergence(live, upstream)
        except UserError:
            return None

    def _divergence(self, ours: Release, theirs: Release) -> Divergence:
        if ours.slug.commit == theirs.slug.commit:
            return Divergence()
        return self.refs.divergence(ours.app, ours.slug.commit, theirs.app, theirs.slug.commit)

    def _live_upstream(self, pipeline: Pipeline, app: AppName) -> Sequence[AppName]:
        """Those of the stage before that have something live; all of them when none has."""
        before = pipeline.upstream(app)
        return [each for each in before if self.store.releases.current(each)] or before

    def _difference(self, source: AppName, target: AppName) -> StageDifference:
        comparison = compare(self._side(source), self._side(target))
        ours, theirs = comparison.source.live, comparison.target.live
        if ours is None:
            raise UserError(f"{source} has no live release to compare", f"releases {source}")
        if theirs is None:
            commits = self.refs.divergence(source, ours.slug.commit, source, None)
            return StageDifference(comparison, commits)
        return StageDifference(comparison, self._divergence(ours, theirs))

    def _side(self, app: AppName) -> Side:
        store = self.store
        return Side(
            app=app,
            live=store.releases.current(app),
            config=store.config.whole(app),
            disks=store.disks.of(app),
            scaled=store.apps.get(app).formation,
        )
