"""A plan of processes is decided without touching what runs."""

from dataclasses import replace

from pushdeploy.domain.release import Candidate, Reason
from pushdeploy.flow.processes import AppPlan
from tests.unit.commands.machine import ADA, SHOP, Machine, slug_of


def plan_of(machine: Machine) -> AppPlan:
    return machine.context.flow.converger.processes.plan(machine.store.apps.get(SHOP))


def places(plan: AppPlan) -> tuple[list[str], list[str], list[str]]:
    """Those that stay, that are missing, and that go."""
    tasks = plan.tasks
    keep, stop = ([str(task.slot) for task in some] for some in (tasks.keep, tasks.stop))
    return keep, [str(slot) for slot in tasks.start], stop


def test_what_is_missing_is_started_and_what_runs_stays(machine: Machine) -> None:
    machine.live()
    assert places(plan_of(machine)) == (["web.1"], [], [])
    machine.scheduler.running.clear()
    assert places(plan_of(machine)) == ([], ["web.1"], [])
    assert machine.places() == []


def test_nothing_is_wanted_of_an_app_that_is_stopped_or_whose_disks_are_torn(
    machine: Machine,
) -> None:
    machine.live()
    machine.store.apps.set_stopped(SHOP, True)
    assert places(plan_of(machine)) == ([], [], ["web.1"])
    machine.store.apps.set_stopped(SHOP, False)
    machine.store.apps.set_put_back(SHOP, machine.store.snapshots.create(SHOP, "s", ADA).id)
    assert places(plan_of(machine)) == ([], [], ["web.1"])


def test_tasks_of_a_release_that_is_being_shipped_are_left_alone(machine: Machine) -> None:
    machine.live()
    candidate = Candidate(SHOP, slug_of(), {}, [], Reason.CONFIG, "Set A", ADA)
    shipped = machine.store.releases.create(candidate)
    [task] = machine.scheduler.running
    machine.scheduler.running.append(replace(task, container="new", version=shipped.version))
    assert places(plan_of(machine)) == (["web.1"], [], [])
    machine.store.releases.fail(SHOP, shipped.version, "no luck")
    assert places(plan_of(machine)) == (["web.1"], [], ["web.1"])
