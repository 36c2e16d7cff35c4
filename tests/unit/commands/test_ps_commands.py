"""ps: what runs follows what is asked, and what cannot run changes nothing."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import AppName
from pushdeploy.domain.task import Death, SlotDeaths
from pushdeploy.flow.first_moments import FirstMoments
from pushdeploy.flow.outages import Outages
from pushdeploy.upkeep.changed_apps import Condition
from pushdeploy.upkeep.reconcile import Reconciler
from tests.memory import MemoryRouter
from tests.unit.commands.machine import AT, SHOP, WEB, WORKER, Machine

BLOG = AppName("blog")


def test_ps_shows_what_runs(machine: Machine) -> None:
    machine.live()
    answer = machine.type("ps shop")
    assert answer.out.split()[:5] == ["web.1", "up", "v1", "2026-01-31", "12:00:00"]
    assert re.search(r" days ago\)  0 +-\n\Z", answer.out)
    assert answer.errors.split()[:3] == ["process", "state", "release"]
    (row,) = machine.type("ps shop --format json").json
    assert (row["process"], row["version"], row["created_at"]) == (
        "web.1",
        1,
        "2026-01-31T12:00:00+00:00",
    )


def test_scale_without_changes_prints_a_line_that_can_be_typed_again(machine: Machine) -> None:
    machine.live()
    machine.type("ps:scale shop web=2 worker=1")
    line = machine.type("ps:scale shop").out.strip()
    assert line == "web=2 worker=1"
    assert machine.type(f"ps:scale shop {line}").status == 0
    assert machine.type("ps:scale shop --format json").json == {"web": 2, "worker": 1}


def test_scale_starts_and_stops_without_a_release(machine: Machine) -> None:
    machine.live()
    assert machine.type("ps:scale shop web+1 worker=1").status == 0
    assert machine.places() == ["web.1", "web.2", "worker.1"]
    machine.type("ps:scale shop web=0")
    assert machine.places() == ["worker.1"]
    latest = machine.store.releases.latest(SHOP)
    assert latest
    assert latest.version == 1


def test_a_scale_that_does_not_start_leaves_the_formation_as_it_was(machine: Machine) -> None:
    machine.live()
    machine.type("ps:scale shop web=2")
    machine.scheduler.broken = {WORKER}
    answer = machine.type("ps:scale shop web=3 worker=1")
    assert answer.status == 1
    assert "no module named shop" in answer.errors
    assert "the formation is as it was" in answer.errors
    assert machine.type("ps:scale shop").out == "web=2 worker=0\n"
    assert machine.places() == ["web.1", "web.2"]


def test_a_type_that_the_slug_has_not_cannot_be_scaled(machine: Machine) -> None:
    machine.live()
    assert machine.type("ps:scale shop clock=1").status == 1
    assert machine.type("ps:scale shop web=-1").status == 1


def test_restart_replaces_all_those_of_a_type_or_one(machine: Machine) -> None:
    machine.live()
    machine.type("ps:scale shop web=2 worker=1")
    started = machine.scheduler.started
    assert machine.type("ps:restart shop").status == 0
    assert machine.scheduler.started == started + 3
    machine.type("ps:restart shop web")
    assert machine.scheduler.started == started + 5
    machine.type("ps:restart shop web.2")
    assert machine.scheduler.started == started + 6
    assert machine.places() == ["web.1", "web.2", "worker.1"]
    assert machine.type("ps:restart shop clock").status == 1


def test_stop_and_start_bring_back_the_same_formation(machine: Machine) -> None:
    machine.live()
    machine.type("ps:scale shop web=2")
    assert machine.type("ps:stop shop").status == 0
    assert machine.places() == []
    assert machine.router.table[SHOP].site.state == "stopped"
    assert "ps:start shop" in machine.type("ps shop").errors
    assert machine.type("ps:start shop").status == 0
    assert machine.places() == ["web.1", "web.2"]


def test_an_app_that_does_not_start_stays_stopped(machine: Machine) -> None:
    machine.live()
    machine.type("ps:scale shop worker=1")
    machine.type("ps:stop shop")
    machine.scheduler.broken = {WORKER}
    assert machine.type("ps:start shop").status == 1
    assert machine.store.apps.get(SHOP).stopped
    assert machine.places() == []


def test_an_app_without_a_release_has_nothing_to_start(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    for line in ("ps:start shop", "ps:restart shop", "ps:rebuild shop"):
        assert machine.type(line).status == 1
    assert machine.type("ps:scale shop").out.startswith("web=1\n")


def test_before_the_first_release_any_type_may_be_scaled(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type("ps:scale shop worker=2")
    assert (answer.status, answer.errors) == (0, "")
    assert "web=1 worker=2\n" in answer.out
    assert machine.type("ps:scale shop release=1").status == 1
    machine.live()
    assert machine.places() == ["web.1", "worker.1", "worker.2"]


def test_all_apps_are_restarted_stopped_and_started(machine: Machine) -> None:
    for app in (SHOP, BLOG):
        machine.live(app)
    machine.store.apps.create(AppName("empty"))
    before = machine.scheduler.started
    assert machine.type("ps:restart --all").status == 0
    assert machine.scheduler.started == before + 2
    assert machine.type("ps:stop --all").status == 0
    assert machine.scheduler.tasks() == []
    answer = machine.type("ps:start --all")
    assert (answer.status, answer.errors) == (0, "")
    assert (machine.places(SHOP), machine.places(BLOG)) == (["web.1"], ["web.1"])


def test_one_that_fails_does_not_keep_the_others_from_their_turn(machine: Machine) -> None:
    for app in (SHOP, BLOG):
        machine.live(app)
    machine.scheduler.broken_apps = {BLOG}
    before = machine.scheduler.started
    answer = machine.type("ps:restart --all")
    assert answer.status == 1
    assert "done for 1 of 2 apps, but not for blog" in answer.errors
    assert machine.scheduler.started == before + 1


def test_all_apps_and_one_of_them_is_not_clear(machine: Machine) -> None:
    machine.live()
    assert machine.type("ps:stop --all shop").status == 1
    assert machine.type("ps:stop").status == 1
    assert machine.places() == ["web.1"]


def test_ps_tells_how_a_process_ended_and_that_its_release_did_not_stay_up(
    machine: Machine,
) -> None:
    live = machine.live()
    died = Death(AT, 137, out_of_memory=True)
    [task] = machine.scheduler.running
    machine.scheduler.running = [replace(task, restarts=7, last_death=died)]
    assert live.live_at is not None
    first = Death(live.live_at + timedelta(seconds=2), 134)
    machine.scheduler.ended = [(1, SlotDeaths(task.slot, 7, first, died))]
    machine.context.upkeep.reconciler.converge_quietly(SHOP)

    shown = machine.type("ps shop")
    assert re.search(
        r" 7 +exit code 137 \(SIGKILL\), for want of memory at 12:00:00\n\Z", shown.out
    )
    why = "web.1 ended with exit code 134 (SIGABRT) 2.00s after v1 went live"
    assert why in shown.errors
    assert f"Deploy 4a4bd4d: {why}" in machine.type("releases shop").out
    assert machine.type("apps:info shop --format json").json["trouble"] == why
    [row] = machine.type("ps shop --format json").json
    assert (row["restarts"], row["last_exit"]["signal"]) == (7, "SIGKILL")


class Full(MemoryRouter):
    """Its files cannot be written."""

    def switch(self, *_: object, **__: object) -> NoReturn:
        raise BackendDown("the nginx files cannot be written")


class NoRoom(FirstMoments):
    """Nothing can be noted with a release."""

    def note(self, name: AppName) -> NoReturn:
        raise BackendDown("the database cannot be used")


def reconciler_of(machine: Machine, first_moments: FirstMoments, **traffic: Any) -> Reconciler:
    """One whose apps have another kind of traffic."""
    converger = machine.context.flow.converger
    converger = replace(converger, traffic=replace(converger.traffic, **traffic))
    return Reconciler(machine.store, machine.scheduler, machine.router, converger, first_moments)


def test_processes_are_started_again_where_nothing_can_be_written(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.live()
    machine.scheduler.running.clear()

    watch = NoRoom(machine.store, machine.scheduler)
    assert reconciler_of(machine, watch, router=Full()).converge_quietly(SHOP) is Condition.FAILED
    assert machine.places() == ["web.1"]
    machine.store.close()


@pytest.mark.parametrize(("hold_seconds", "state"), [(3600, "held"), (0, "stopped")])
def test_requests_wait_as_long_as_the_operator_says_for_what_ended_by_itself(
    machine: Machine, hold_seconds: int, state: str
) -> None:
    machine.live()
    machine.scheduler.running.clear()
    machine.scheduler.broken = {WEB}
    watch = FirstMoments(machine.store, machine.scheduler)
    reconciler = reconciler_of(machine, watch, outages=Outages(hold_seconds))
    assert reconciler.converge_quietly(SHOP) is Condition.FAILED
    assert machine.router.table[SHOP].site.state == state
