"""Requests wait while the old tasks of an app stop, and go on whatever comes of the new ones."""

import pytest

from pushdeploy.domain.errors import BackendDown, BootFailed
from pushdeploy.flow.swap import Swaps
from pushdeploy.output import Output, Quiet
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.flow.one_writer import Holding


def swaps_of(machine: Machine) -> Swaps:
    return machine.context.flow.restarts.swaps


def test_requests_wait_until_the_swap_is_over(held: Machine) -> None:
    app, traffic = held.store.apps.get(SHOP), held.context.locks.traffic
    said: list[str] = []
    with swaps_of(held).of(app, Quiet()) as swap:
        swap.make_way(held.scheduler.tasks(SHOP), Output(said.append))
        assert traffic.waiting_since(SHOP) is not None
        assert held.places() == []
        swap.passed_at = swap.held_at + 2.0
    assert traffic.waiting_since(SHOP) is None
    assert swap.held_seconds == 2.0
    assert [line for line in said if line.startswith("----->")] == [
        "-----> Holding requests",
        "-----> Stopping web.1 of v1",
    ]


def test_requests_go_on_where_nothing_new_starts(held: Machine) -> None:
    app = held.store.apps.get(SHOP)

    def swap_in_vain() -> None:
        with swaps_of(held).of(app, Quiet()) as swap:
            swap.make_way(held.scheduler.tasks(SHOP), Quiet())
            raise BootFailed("web.1 did not start")

    with pytest.raises(BootFailed):
        swap_in_vain()
    assert held.context.locks.traffic.waiting_since(SHOP) is None


def test_nothing_stops_where_requests_cannot_be_held(one_writer: Machine) -> None:
    app, tasks = one_writer.store.apps.get(SHOP), one_writer.scheduler.tasks(SHOP)
    with pytest.raises(BackendDown), swaps_of(one_writer).of(app, Quiet()) as swap:
        swap.make_way(tasks, Quiet())
    assert not swap.stopping
    assert one_writer.places() == ["web.1"]


def test_no_request_waits_where_others_serve_on(held: Machine) -> None:
    app, router = held.store.apps.get(SHOP), held.router
    assert isinstance(router, Holding)
    with swaps_of(held).of(app, Quiet()) as swap:
        swap.make_way(held.scheduler.tasks(SHOP), Quiet(), hold=False)
        assert held.context.locks.traffic.waiting_since(SHOP) is None
    assert not any(came.endswith("held") for came in router.came)
    assert swap.held_seconds == 0
