"""Another number of processes, all of it or nothing."""

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import BootFailed, UserError
from tests.unit.commands.machine import SHOP, WEB, WORKER, Machine


def test_processes_start_and_stop_as_they_are_scaled(machine: Machine, asker: Asker) -> None:
    machine.live()
    machine.context.flow.scaling.scale(SHOP, ["web=2", "worker+1"], asker)
    assert machine.places() == ["web.1", "web.2", "worker.1"]
    machine.context.flow.scaling.scale(SHOP, ["web-2"], asker)
    assert machine.places() == ["worker.1"]


def test_the_formation_stays_where_a_process_does_not_start(machine: Machine, asker: Asker) -> None:
    machine.live()
    machine.scheduler.broken.add(WORKER)
    with pytest.raises(BootFailed) as failed:
        machine.context.flow.scaling.scale(SHOP, ["web=3", "worker=1"], asker)
    assert failed.value.serving == "the formation is as it was"
    assert machine.store.apps.get(SHOP).formation == {}
    assert machine.places() == ["web.1"]


def test_before_the_first_release_any_type_is_kept_for_it(machine: Machine, asker: Asker) -> None:
    machine.store.apps.create(SHOP)
    machine.context.flow.scaling.scale(SHOP, ["clock=1"], asker)
    machine.context.flow.scaling.scale(SHOP, ["web+1"], asker)
    assert machine.store.apps.get(SHOP).formation == {"clock": 1, WEB: 2}


def test_a_type_that_the_slug_has_not_is_refused(machine: Machine, asker: Asker) -> None:
    machine.live()
    with pytest.raises(UserError, match="no process type clock"):
        machine.context.flow.scaling.scale(SHOP, ["web=2", "clock=1"], asker)
    assert machine.places() == ["web.1"]
