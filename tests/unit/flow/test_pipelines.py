"""A pipeline is made of apps that are in no other, each in the stage that its name tells."""

import pytest

from pushdeploy.domain.names import AppName
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.commands.stages import STAGING


def test_apps_stand_in_the_stages_that_their_names_tell(machine: Machine) -> None:
    for name in ("shop-dev", "shop-staging", "shop"):
        machine.store.apps.create(AppName(name))
    answer = machine.type("pipelines:create main shop-dev shop-staging shop")
    assert answer.status == 0
    assert answer.out == (
        "main: development (shop-dev) → staging (shop-staging) → production (shop)\n"
    )
    assert machine.type("pipelines --format json").json == [
        {
            "name": "main",
            "stages": ["development", "staging", "production"],
            "apps": ["shop-dev", "shop-staging", "shop"],
        }
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("pipelines:create main shop", "pipeline main exists already"),
        ("pipelines:create other shop-staging", "shop-staging is in the pipeline main already"),
        ("pipelines:add other shop", "pipeline other does not exist"),
        ("pipelines:add main", "which app? none was named"),
        ("pipelines:add main shop --app shop-staging", "two apps are named"),
        ("pipelines:add main shop-staging", "is in the pipeline main already, as staging"),
        ("pipelines:remove shop", "shop is in no pipeline"),
        ("pipelines:remove", "which app? none was named"),
        ("pipelines:remove", "name one of: shop-staging"),
        ("pipelines:add main", "name one of: shop"),
        ("pipelines:add nothing", "pipeline nothing does not exist"),
        ("pipelines:destroy", "which pipeline? none was named"),
        ("pipelines:destroy", "name one of: main"),
        ("pipelines:update shop-staging", "one of --stage and --stages is needed"),
        ("pipelines:update --stage x", "which app? none was named"),
        ("pipelines:update --stage x", "name one of: shop-staging"),
        ("pipelines:update main --stages production", "staging of main has apps"),
        ("pipelines:rename other more", "pipeline other does not exist"),
        ("pipelines:destroy other", "pipeline other does not exist"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    machine: Machine, line: str, reason: str
) -> None:
    for name in (SHOP, STAGING):
        machine.store.apps.create(name)
    machine.type("pipelines:create main shop-staging")
    before = machine.store.pipelines.list()
    answer = machine.type(line)
    assert answer.status == 1
    assert reason in answer.errors
    assert machine.store.pipelines.list() == before
