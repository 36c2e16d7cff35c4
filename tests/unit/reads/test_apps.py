"""What is told of apps."""

from pushdeploy.domain.names import AppName
from tests.unit.commands.machine import SHOP, Machine


def test_apps_are_empty_live_or_stopped(machine: Machine) -> None:
    machine.store.apps.create(AppName("empty"))
    machine.live(SHOP)
    machine.live(AppName("still"))
    machine.store.apps.set_stopped(AppName("still"), True)
    told = [(each.app.name, each.state, each.url) for each in machine.context.reads.apps.all()]
    assert told == [
        ("empty", "empty", "http://empty.apps.test:8080"),
        (SHOP, "live", "http://shop.apps.test:8080"),
        ("still", "stopped", "http://still.apps.test:8080"),
    ]


def test_vars_are_staged_that_the_next_release_has_and_the_live_one_has_not(
    machine: Machine,
) -> None:
    machine.live()
    machine.store.config.replace(SHOP, {"TOKEN": "1"})
    details = machine.context.reads.apps.details(machine.store.apps.get(SHOP))
    assert (list(details.config_keys), list(details.config_staged)) == (["TOKEN"], ["TOKEN"])
