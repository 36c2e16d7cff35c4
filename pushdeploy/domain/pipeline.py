"""A pipeline: apps that share a codebase, in stages; a slug goes from one stage to the next."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, Label

_SUFFIXES = {
    "development": ("dev", "development", "uat", "tst", "test", "qa"),
    "staging": ("stg", "staging"),
    "production": ("prd", "prod", "production", "admin", "demo"),
}


class PipelineName(Label):
    """A pipeline has a name of its own on the server."""

    __slots__ = ()
    _kind = "a pipeline's name"


class StageName(Label):
    """A stage has a name within its pipeline."""

    __slots__ = ()
    _kind = "a stage"


@dataclass(frozen=True, slots=True)
class Member:
    """An app in a stage of the pipeline."""

    app: AppName
    stage: StageName


@dataclass(frozen=True, slots=True)
class Place:
    """An app is told its own place: its pipeline and its stage."""

    pipeline: PipelineName
    stage: StageName


@dataclass(frozen=True, slots=True)
class Pipeline:
    """``stages`` are in order, the first upstream; every member's stage is among them."""

    name: PipelineName
    stages: Sequence[StageName]
    members: Sequence[Member]

    def stage_of(self, app: AppName) -> StageName:
        """Raise ``UserError`` when the app is not a member."""
        for member in self.members:
            if member.app == app:
                return member.stage
        raise UserError(
            f"{app} is not in the pipeline {self.name}", f"pipelines:add {self.name} {app}"
        )

    def apps_in(self, stage: StageName) -> Sequence[AppName]:
        return [member.app for member in self.members if member.stage == stage]

    def downstream(self, app: AppName) -> Sequence[AppName]:
        """The apps of the next stage that has any; empty for those of the last one."""
        after = list(self.stages).index(self.stage_of(app)) + 1
        for stage in self.stages[after:]:
            if apps := self.apps_in(stage):
                return apps
        return []

    def upstream(self, app: AppName) -> Sequence[AppName]:
        """The apps of the stage before that has any; empty for those of the first one."""
        before = list(self.stages).index(self.stage_of(app))
        for stage in reversed(self.stages[:before]):
            if apps := self.apps_in(stage):
                return apps
        return []

    def targets(self, source: AppName, named: Sequence[AppName] = ()) -> Sequence[AppName]:
        """List the apps that ``source`` is promoted to: those ``named``, else those of the next
        stage.

        ``UserError`` when one is not a member, or nothing comes after the source.
        """
        for target in named:
            self.stage_of(target)
        targets = named or self.downstream(source)
        if not targets:
            raise UserError(
                f"nothing comes after {source}: {self.stage_of(source)} is the last stage of"
                f" {self.name} that has apps",
                "--to APP promotes to any app of the pipeline",
            )
        return targets

    def sources(self) -> Sequence[AppName]:
        """The apps that have somewhere to be promoted to."""
        return [member.app for member in self.members if self.downstream(member.app)]


def in_usual_order(stages: Sequence[StageName]) -> Sequence[StageName]:
    """The same stages, with those that Heroku has in its order; others keep their places."""
    usual = sorted((s for s in stages if s in _SUFFIXES), key=list(_SUFFIXES).index)
    ordered = iter(usual)
    return [next(ordered) if stage in _SUFFIXES else stage for stage in stages]


def infer_stage(app: AppName) -> StageName:
    """The stage that an app's suffix tells, as Heroku infers it: production without one."""
    suffix = app.rpartition("-")[2]
    for stage, suffixes in _SUFFIXES.items():
        if "-" in app and suffix in suffixes:
            return StageName(stage)
    return StageName("production")
