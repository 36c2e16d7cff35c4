"""Requests go to the tasks of a release, or wait where there should be some."""

from pushdeploy.output import Quiet
from tests.unit.commands.machine import SHOP, Machine


def test_requests_wait_where_nothing_runs_that_should_and_no_longer(machine: Machine) -> None:
    machine.live()
    traffic, app = machine.context.flow.converger.traffic, machine.store.apps.get(SHOP)
    traffic.send(app, 1, [], Quiet(), down=True)
    assert machine.router.table[SHOP].site.state == "held"
    traffic.send(app, 1, machine.scheduler.tasks(SHOP), Quiet())
    assert machine.router.table[SHOP].site.state == "serving"
    assert len(machine.router.table[SHOP].targets) == 1


def test_requests_wait_from_when_they_are_held(machine: Machine) -> None:
    machine.live()
    traffic, app = machine.context.flow.converger.traffic, machine.store.apps.get(SHOP)
    with traffic.holding(app, machine.scheduler.tasks(SHOP), 0, Quiet()):
        assert machine.router.table[SHOP].site.state == "held"
        assert traffic.locks.waiting_since(SHOP) is not None
