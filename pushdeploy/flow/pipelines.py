"""Pipelines: apps become the stages of one, in order, change their stage, and leave."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.pipeline import Member, Pipeline, PipelineName, StageName, infer_stage
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class PipelineChanges:
    """Pipelines are made, changed and removed here; their apps run on untouched."""

    store: Store

    def create(
        self, name: PipelineName, apps: Sequence[AppName], stage: StageName | None
    ) -> Pipeline:
        """A pipeline of ``apps``, all in ``stage`` or each in the one that its name tells.

        ``UserError`` when one of them is in a pipeline already: nothing has been made then.
        """
        members = [self._newcomer(app, stage) for app in apps]
        pipeline = self.store.pipelines.create(name)
        for member in members:
            pipeline = self.store.pipelines.add(name, member.app, member.stage)
        return pipeline

    def add(self, name: PipelineName, app: AppName, stage: StageName | None) -> Pipeline:
        """Put ``app`` in ``stage``, or in the one that its name tells."""
        return self.store.pipelines.add(name, app, stage or infer_stage(app))

    def remove(self, app: AppName) -> Pipeline:
        return self.store.pipelines.remove(app)

    def set_stage(self, app: AppName, stage: StageName) -> Pipeline:
        return self.store.pipelines.set_stage(app, stage)

    def set_stages(self, name: PipelineName, stages: Sequence[StageName]) -> Pipeline:
        return self.store.pipelines.set_stages(name, stages)

    def rename(self, name: PipelineName, new: PipelineName) -> Pipeline:
        self.store.pipelines.rename(name, new)
        return self.store.pipelines.get(new)

    def destroy(self, name: PipelineName) -> None:
        self.store.pipelines.destroy(name)

    def _newcomer(self, app: AppName, stage: StageName | None) -> Member:
        former = self.store.pipelines.of(app)
        if former is not None:
            raise UserError(
                f"{app} is in the pipeline {former.name} already, as {former.stage_of(app)}",
                f"pipelines:remove {app}, first",
            )
        return Member(app, stage or infer_stage(app))
