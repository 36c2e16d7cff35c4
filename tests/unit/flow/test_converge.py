"""What runs of an app follows the ledger, whatever a killed server has left of it."""

from dataclasses import replace

from pushdeploy.output import Quiet
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.flow.one_writer import scheduler_of


def test_what_a_killed_server_was_starting_goes_before_another_takes_its_place(
    one_writer: Machine,
) -> None:
    [task] = one_writer.scheduler.running
    one_writer.scheduler.running[:] = [replace(task, state="stopped")]
    one_writer.context.flow.converger.converge(SHOP, Quiet(), requests_wait=True)
    assert scheduler_of(one_writer).mixed == []
    assert [task.state for task in one_writer.scheduler.tasks(SHOP)] == ["up"]


def test_what_the_engine_could_not_be_told_of_is_looked_after_later(held: Machine) -> None:
    """It was gone just when traffic had moved: the release is live, and its task serves."""
    scheduler = scheduler_of(held)
    [task] = scheduler.running
    scheduler.running[:] = [replace(task, state="starting")]
    held.context.flow.converger.converge(SHOP, Quiet(), requests_wait=True)
    assert [each.container for each in scheduler.confirmed] == [task.container]
    assert held.router.table[SHOP].site.state == "serving"
    assert scheduler.running[0].container == task.container
