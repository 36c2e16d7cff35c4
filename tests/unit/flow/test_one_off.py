"""Commands beside an app: what a shell gets, who may write to a disk, and how one is ended."""

from contextlib import AbstractContextManager

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import Busy, UserError
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.flow.one_off import OneOffCommand, shell_command
from tests.unit.commands.machine import ADA, SHOP, Client, Machine, slug_of

DATA = Attachment(DiskName("data"), "/data")


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("ls -l", "ls -l"),
        ("'echo \"$DYNO\" | rev'", 'echo "$DYNO" | rev'),
        ('"one word"', "one word"),
        ("'word'", "'word'"),
        ("worker --once", "work --once"),
        ("worker", "work"),
        ("'a' 'b'", "'a' 'b'"),
    ],
)
def test_a_shell_gets_what_was_typed_or_the_command_of_a_process_type(
    typed: str, command: str
) -> None:
    assert shell_command(typed, slug_of()) == command


def test_nothing_is_run_beside_an_app_that_has_nothing_live(machine: Machine, asker: Asker) -> None:
    app = machine.store.apps.create(SHOP)
    with pytest.raises(UserError, match="no live release"), beside(machine, app.name, asker):
        pass


def test_a_command_runs_with_vars_of_its_own_and_is_seen_while_it_does(
    machine: Machine, asker: Asker
) -> None:
    machine.live()
    with machine.context.flow.one_offs.beside(machine.store.apps.get(SHOP), asker) as command:
        assert [one.name for one in machine.context.locks.one_offs.of(SHOP)] == [command.name]
        assert command.run("work", Client(), {"A": "1"}) == 0

    assert machine.context.locks.one_offs.of(SHOP) == []
    assert [(one.command, one.environment) for one in machine.scheduler.once] == [
        ("work", {"A": "1"})
    ]


def test_nobody_writes_to_disks_that_a_release_has_for_itself(
    machine: Machine, asker: Asker
) -> None:
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [DATA])
    machine.live()
    with (
        machine.context.locks.writers.alone(SHOP, "v2"),
        pytest.raises(Busy),
        beside(machine, SHOP, asker),
    ):
        pass


def test_nobody_writes_to_disks_that_are_to_be_put_back(machine: Machine, asker: Asker) -> None:
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [DATA])
    machine.live()
    taken = machine.store.snapshots.create(SHOP, "Before v2", ADA)
    machine.store.apps.set_put_back(SHOP, taken.id)
    with pytest.raises(Busy, match="still to be put back"), beside(machine, SHOP, asker):
        pass


@pytest.mark.parametrize(
    ("name", "hint"),
    [("run.1", "ps shop shows what does"), ("web.1", "ps:restart shop web.1 replaces it")],
)
def test_what_is_no_command_beside_the_app_is_not_ended(
    machine: Machine, name: str, hint: str
) -> None:
    machine.live()
    with pytest.raises(UserError) as error:
        machine.context.flow.one_offs.end(machine.store.apps.get(SHOP), name, ADA)
    assert hint in error.value.hint


def beside(machine: Machine, app: AppName, asker: Asker) -> AbstractContextManager[OneOffCommand]:
    return machine.context.flow.one_offs.beside(machine.store.apps.get(app), asker)
