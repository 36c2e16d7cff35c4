"""New tasks begin when the release command has gone well, and never where it has not."""

from tests.unit.commands.machine import SHOP, Machine


def test_new_tasks_never_begin_when_the_release_command_fails(machine: Machine) -> None:
    machine.live(release_command="migrate")
    machine.scheduler.exit_code = 3
    before = machine.scheduler.started
    assert machine.type("config:set shop A=1").status == 1
    assert machine.scheduler.started == before
    assert [task.version for task in machine.scheduler.tasks(SHOP)] == [1]


def test_new_tasks_begin_after_the_release_command(machine: Machine) -> None:
    machine.live(release_command="migrate")
    assert machine.type("config:set shop A=1").status == 0
    [once] = machine.scheduler.once
    assert (once.command, once.manifest.version) == ("migrate", 2)
    assert [task.version for task in machine.scheduler.tasks(SHOP)] == [2]
