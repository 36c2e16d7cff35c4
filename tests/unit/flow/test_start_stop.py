"""The processes of the live release are stopped, and started again."""

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import BootFailed, UserError
from tests.unit.commands.machine import SHOP, WEB, Machine


def test_an_app_is_stopped_once_and_started_again(machine: Machine, asker: Asker) -> None:
    machine.live()
    start_stop = machine.context.flow.start_stop
    assert start_stop.stop(SHOP, asker)
    assert machine.places() == []
    assert not start_stop.stop(SHOP, asker)
    start_stop.start(SHOP, asker)
    assert machine.places() == ["web.1"]


def test_an_app_that_does_not_start_stays_stopped(machine: Machine, asker: Asker) -> None:
    machine.live()
    machine.context.flow.start_stop.stop(SHOP, asker)
    machine.scheduler.broken.add(WEB)
    with pytest.raises(BootFailed) as failed:
        machine.context.flow.start_stop.start(SHOP, asker)
    assert failed.value.serving == "it stays stopped"
    assert machine.store.apps.get(SHOP).stopped


def test_an_app_without_a_live_release_is_not_started(machine: Machine, asker: Asker) -> None:
    machine.store.apps.create(SHOP)
    with pytest.raises(UserError, match="no live release"):
        machine.context.flow.start_stop.start(SHOP, asker)
    assert not machine.store.apps.get(SHOP).stopped


def test_a_restart_says_which_processes_are_new(
    machine: Machine, asker: Asker, told: list[str]
) -> None:
    machine.live()
    before = machine.scheduler.tasks(SHOP)[0].container
    machine.context.flow.start_stop.restart(SHOP, "web", asker)
    assert machine.scheduler.tasks(SHOP)[0].container != before
    assert "       web.1" in told


def test_whoever_restarts_is_told_when_nothing_runs_any_more(
    machine: Machine, asker: Asker
) -> None:
    machine.live()
    machine.scheduler.running.clear()
    machine.scheduler.broken.add(WEB)
    with pytest.raises(BootFailed) as failed:
        machine.context.flow.start_stop.restart(SHOP, None, asker)
    assert "nothing of shop runs now" in failed.value.serving


@pytest.mark.parametrize("stopped", [False, True])
def test_what_is_not_to_run_is_not_tried_again(
    machine: Machine, asker: Asker, stopped: bool
) -> None:
    if stopped:
        machine.live()
        machine.context.flow.start_stop.stop(SHOP, asker)
    else:
        machine.store.apps.create(SHOP)
    with pytest.raises(UserError) as failed:
        machine.context.flow.start_stop.restart(SHOP, None, asker)
    said = (failed.value.message, failed.value.hint, failed.value.serving)
    unreleased = ("nothing of shop has been released yet, so nothing runs", "git push deploy main")
    assert said == ("shop is stopped", "ps:start shop", "") if stopped else (*unreleased, "")
