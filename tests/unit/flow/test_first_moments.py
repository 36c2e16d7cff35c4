"""Processes that do not stay up leave a mark on the release that has just gone live."""

from datetime import timedelta

import pytest

from pushdeploy.domain.task import Death, SlotDeaths
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
