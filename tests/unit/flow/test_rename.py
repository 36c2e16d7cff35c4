"""A rename of an app whose disk has one writer, and what becomes of one that fails."""

import pytest

from pushdeploy.domain.names import AppName, HostName
from tests.unit.commands.machine import SHOP, WEB, Machine
from tests.unit.flow.one_writer import Holding, scheduler_of


def test_a_renamed_app_has_one_writer_too_and_its_requests_wait(held: Machine) -> None:
    renamed = held.type("apps:rename shop store")
    assert renamed.status == 0, renamed.errors
    assert scheduler_of(held).mixed == []
    assert {str(task.app) for task in held.scheduler.tasks()} == {"store"}
    assert isinstance(held.router, Holding)
    assert held.router.came[-5:] == [
        "shop held",
        "store at 1",
        "shop at 1",
        "shop removed",
        "store at 1",
    ]
    assert held.context.locks.traffic.waiting_since(SHOP) is None


def test_a_rename_whose_new_name_does_not_start_serves_on_under_the_old_one(
    held: Machine,
) -> None:
    scheduler_of(held).refused = AppName("store")
    renamed = held.type("apps:rename shop store")
    assert renamed.status == 1
    assert scheduler_of(held).mixed == []
    assert held.places() == ["web.1"]
    assert len(held.router.table[SHOP].targets) == 1
    assert held.context.locks.traffic.waiting_since(SHOP) is None


def test_an_app_that_starts_under_neither_name_is_told_of_under_the_old_one(
    held: Machine,
) -> None:
    scheduler_of(held).broken = {WEB}
    renamed = held.type("apps:rename shop store")
    assert renamed.status == 1
    assert "then type:  ps:start shop" in renamed.errors + renamed.out
    assert held.store.apps.get(SHOP).name == SHOP
    scheduler_of(held).broken = set()
    assert held.type("ps:start shop").status == 0
    assert held.places() == ["web.1"]


def test_a_rename_whose_requests_cannot_be_held_changes_nothing(one_writer: Machine) -> None:
    before = one_writer.router.table[SHOP].targets
    assert one_writer.type("apps:rename shop store").status == 69
    assert one_writer.router.table[SHOP].targets == before
    assert one_writer.places() == ["web.1"]
    assert one_writer.store.apps.get(SHOP).name == SHOP


OWN = HostName("shop.example.com")
BELOW = HostName("x.shop.apps.test")


def test_all_domains_follow_a_renamed_app_for_it_serves_all_the_while(machine: Machine) -> None:
    machine.live()
    for host in (BELOW, OWN):
        assert machine.type(f"domains:add shop '{host}'").status == 0
    renamed = machine.type("apps:rename shop store")
    assert renamed.status == 0, renamed.errors
    assert set(machine.router.table[AppName("store")].site.hosts) == {
        "store.apps.test",
        BELOW,
        OWN,
    }


@pytest.mark.parametrize("fails", [False, True])
def test_both_names_are_shown_by_https_until_the_new_one_serves(held: Machine, fails: bool) -> None:
    scheduler_of(held).refused = AppName("store") if fails else None
    held.router.ever_shown.clear()
    assert held.type("apps:rename shop store").status == int(fails)
    assert set(held.router.ever_shown[0]) == {"shop.apps.test", "store.apps.test"}
    assert set(held.router.shown) == {"shop.apps.test" if fails else "store.apps.test"}
