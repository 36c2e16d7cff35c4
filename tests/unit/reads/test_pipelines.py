"""What is told of the apps of a pipeline, beside the stage before theirs."""

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.pipeline import Pipeline, PipelineName
from tests.unit.commands.machine import SHOP, Machine

STAGING = AppName("shop-staging")
OTHER = ImageDigest("sha256:" + "6" * 64)


@pytest.fixture
def pipeline(machine: Machine) -> Pipeline:
    """Two stages at one commit; production has nothing live."""
    machine.live(STAGING)
    machine.store.apps.create(SHOP)
    return machine.context.flow.pipelines.create(PipelineName("main"), [STAGING, SHOP], None)


def test_an_app_stands_beside_what_is_live_in_the_stage_before(
    machine: Machine, pipeline: Pipeline
) -> None:
    standings = machine.context.reads.pipelines.standings
    assert [each.same_slug for each in standings(pipeline)] == [None, None]
    machine.live(SHOP)
    first, second = standings(pipeline)
    assert (first.upstream, second.upstream and second.upstream.app) == (None, STAGING)
    assert (second.same_slug, second.distance and second.distance.summary) == (True, "")


def test_apps_at_one_commit_may_have_different_slugs(machine: Machine, pipeline: Pipeline) -> None:
    machine.live(SHOP, key="other", image=OTHER)
    second = machine.context.reads.pipelines.standings(pipeline)[1]
    assert (second.same_slug, second.distance and second.distance.summary) == (False, "")


def test_the_last_stage_is_compared_with_the_one_before(
    machine: Machine, pipeline: Pipeline
) -> None:
    machine.live(SHOP)
    reader = machine.context.reads.pipelines
    pairs = [
        (each.comparison.source.app, each.comparison.target.app)
        for app in (STAGING, SHOP)
        for each in reader.differences(pipeline, app)
    ]
    assert pairs == [(STAGING, SHOP), (STAGING, SHOP)]


def test_a_pipeline_of_one_stage_has_nothing_to_compare(machine: Machine) -> None:
    machine.live(SHOP)
    alone = machine.context.flow.pipelines.create(PipelineName("alone"), [SHOP], None)
    with pytest.raises(UserError, match="no stage beside that of shop"):
        machine.context.reads.pipelines.differences(alone, SHOP)
