"""Processes that do not stay up leave a mark on the release that has just gone live."""

from datetime import timedelta

import pytest

from pushdeploy.domain.task import Death, SlotDeaths
from pushdeploy.flow.first_moments import FirstMoments
from tests.unit.commands.machine import SHOP, Machine


@pytest.mark.parametrize(("seconds", "watch"), [(11, "10s"), (2, "1s"), (0, "0s")])
def test_an_end_after_the_watch_is_no_mark_on_the_release(
    machine: Machine, seconds: int, watch: str
) -> None:
    live = machine.live()
    assert machine.type(f"apps:set shop watch={watch}").status == 0
    assert live.live_at is not None
    late = Death(live.live_at + timedelta(seconds=seconds, milliseconds=1), 1)
    slot = machine.scheduler.running[0].slot
    machine.scheduler.ended = [(1, SlotDeaths(slot, 1, late, late))]
    machine.context.upkeep.reconciler.converge_quietly(SHOP)
    assert " ! " not in machine.type("ps shop").errors


def test_an_end_within_the_watch_is_a_mark_on_the_release(machine: Machine) -> None:
    live = machine.live()
    assert live.live_at is not None
    early = Death(live.live_at + timedelta(seconds=2), 1)
    slot = machine.scheduler.running[0].slot
    machine.scheduler.ended = [(1, SlotDeaths(slot, 1, early, early))]
    FirstMoments(machine.store, machine.scheduler).note(SHOP)
    found = machine.store.releases.get(SHOP, 1).error
    assert found == "web.1 ended with exit code 1 2.00s after v1 went live"
