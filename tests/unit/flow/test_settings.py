"""Settings of an app change all together, or not at all."""

import pytest

from pushdeploy.domain.settings import AppSettings
from tests.unit.commands.machine import SHOP, Machine


def test_an_empty_value_gives_back_the_default(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.type("apps:set shop drain=1h deploy-branch=trunk")
    machine.type("apps:set shop drain= deploy-branch=")
    assert machine.store.apps.get(SHOP).settings == AppSettings()


@pytest.mark.parametrize(
    "word",
    [
        *("drain", "colour=red", "drain=soon", "drain=2w", "stop-grace=0", "body-limit=9999t"),
        "heroku-names=maybe",
    ],
)
def test_a_setting_that_makes_no_sense_changes_nothing(machine: Machine, word: str) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type(f"apps:set shop stop-grace=99 {word}").status == 1
    assert machine.store.apps.get(SHOP).settings == AppSettings()


def test_a_scheduler_must_be_one_of_those_that_are_installed(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type("apps:set shop scheduler=swarm")
    assert answer.status == 1
    assert "there is no scheduler swarm here" in answer.errors
    assert "docker-local" in answer.errors
    assert machine.store.apps.get(SHOP).settings == AppSettings()
    assert machine.type("apps:set shop scheduler=docker-local").status == 0


def test_a_release_remembers_the_scheduler_that_its_app_had(machine: Machine) -> None:
    machine.live()
    machine.type("apps:set shop scheduler=docker-local")
    assert machine.store.releases.get(SHOP, 1).scheduler is None
    machine.type("config:set shop A=1")
    assert machine.store.releases.get(SHOP, 2).scheduler == "docker-local"
    machine.type("apps:set shop scheduler=")
    machine.type("config:set shop A=2")
    assert machine.store.releases.get(SHOP, 3).scheduler is None
    assert machine.store.releases.schedulers() == ["docker-local"]


def test_a_setting_that_the_router_refuses_does_not_stay(machine: Machine) -> None:
    machine.live()
    machine.router.refused.add(f"{SHOP}.{machine.context.settings.domain}")
    assert machine.type("apps:set shop sticky=on").status == 1
    assert machine.store.apps.get(SHOP).settings == AppSettings()
    machine.router.refused.clear()
    assert machine.type("apps:set shop sticky=on").status == 0
    assert machine.store.apps.get(SHOP).settings.front.sticky
