"""What is proved of the stages of a pipeline, from the containers that run."""

from dataclasses import replace

from pushdeploy.domain.pipeline import Pipeline, PipelineName
from tests.unit.commands.machine import SHOP, Machine


def pipeline_of(machine: Machine) -> Pipeline:
    return machine.context.flow.pipelines.create(PipelineName("main"), [SHOP], None)


def test_what_runs_as_released_is_verified(machine: Machine) -> None:
    live = machine.live()
    found = machine.context.reads.verifier.verify(pipeline_of(machine))
    assert found.verified
    assert [evidence.images for evidence in found.evidence] == [[live.slug.image]]


def test_a_task_with_another_image_is_a_trouble_of_its_app(machine: Machine) -> None:
    machine.live()
    other = "sha256:" + "9" * 64
    machine.scheduler.running = [replace(t, image=other) for t in machine.scheduler.running]
    found = machine.context.reads.verifier.verify(pipeline_of(machine))
    assert not found.verified
    assert "v1" in found.troubles[SHOP][0]


def test_a_stopped_app_need_not_run_anything(machine: Machine) -> None:
    machine.live()
    machine.store.apps.set_stopped(SHOP, True)
    machine.scheduler.running.clear()
    assert machine.context.reads.verifier.verify(pipeline_of(machine)).verified
