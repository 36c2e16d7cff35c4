"""A restart that fails tells what serves then."""

from pushdeploy.domain.disk import Attachment
from tests.unit.commands.machine import SHOP, WEB, Machine


def test_a_restart_that_leaves_nothing_says_so_and_how_to_try_again(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live()
    machine.scheduler.broken.add(WEB)
    answer = machine.type("ps:restart shop")
    assert answer.status == 1
    assert "nothing of shop runs now: it is tried again by itself, and by ps:start shop" in (
        answer.errors
    )
    machine.scheduler.broken.clear()
    assert machine.type("ps:start shop").status == 0
    assert machine.places() == ["web.1"]


def test_a_restart_that_leaves_the_old_ones_does_not(machine: Machine) -> None:
    machine.live()
    machine.scheduler.broken.add(WEB)
    assert "runs now" not in machine.type("ps:restart shop").errors
    assert machine.places() == ["web.1"]


def test_a_process_that_was_missing_is_routed_to_regression(held: Machine) -> None:
    held.scheduler.running.clear()
    assert held.type("ps:restart shop web").status == 0
    assert held.places() == ["web.1"]
    assert len(held.router.table[SHOP].targets) == 1
