"""Vars that all apps share: which of them changed, and which apps see it."""

from pushdeploy.domain.names import AppName
from tests.unit.commands.machine import SHOP, Machine

BLOG = AppName("blog")


def test_apps_see_a_shared_var_unless_their_own_hides_it(machine: Machine) -> None:
    machine.store.apps.create(BLOG)
    machine.store.config.replace(BLOG, {"TOKEN": "own"})
    machine.live(BLOG)
    machine.live(SHOP)
    machine.store.apps.create(AppName("empty"))

    change = machine.context.flow.shared_config.change({"TOKEN": "1"})

    assert (list(change.changed), list(change.seen_by)) == (["TOKEN"], [SHOP])


def test_a_var_that_is_so_already_changes_nothing_and_is_still_released(machine: Machine) -> None:
    machine.live(SHOP)
    machine.context.flow.shared_config.change({"TOKEN": "1"})

    again = machine.context.flow.shared_config.change({"TOKEN": "1"})

    assert (list(again.changed), list(again.seen_by)) == ([], [SHOP])
