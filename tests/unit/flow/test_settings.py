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
