"""What is told of what runs."""

from dataclasses import replace

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.locks.one_offs import RunningOneOff
from tests.unit.commands.machine import AT, SHOP, WEB, WORKER, Machine


def test_processes_are_told_with_one_off_commands_the_oldest_first(machine: Machine) -> None:
    machine.live()
    one = RunningOneOff(SHOP, "run.1234", 1, Cancellation())
    with machine.context.locks.one_offs.running(one):
        running = machine.context.reads.tasks.running(machine.store.apps.get(SHOP))
    told = [(each.name, each.state, each.version, each.container) for each in running.processes]
    assert told == [("web.1", "up", 1, "c1"), ("run.1234", "up", 1, None)]
    assert (running.error, running.held_since) == ("", None)


def test_a_task_that_has_ended_has_died_even_where_nobody_saw_it(machine: Machine) -> None:
    machine.live()
    machine.scheduler.running = [
        replace(task, state="crashed", exit_code=137) for task in machine.scheduler.running
    ]
    running = machine.context.reads.tasks.running(machine.store.apps.get(SHOP))
    last = running.processes[0].last_death
    assert last is not None
    assert (last.exit_code, last.at) == (137, AT)


def test_the_formation_is_told_before_the_first_release_too(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.apps.set_formation(SHOP, {WORKER: 2})
    tasks = machine.context.reads.tasks
    assert tasks.formation(machine.store.apps.get(SHOP)) == {WEB: 1, WORKER: 2}
    assert tasks.port(machine.store.apps.get(SHOP)) is None
