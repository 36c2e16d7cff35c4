"""Trouble after a release is live is told, and undoes nothing any more."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.release import ReleaseStatus
from pushdeploy.domain.task import Task
from pushdeploy.output import Output, Quiet
from tests.memory import MemoryScheduler
from tests.unit.commands.machine import SHOP, Machine


class Stuck(MemoryScheduler):
    """Its tasks cannot be stopped any more."""

    def stop(self, tasks: Sequence[Task], grace_seconds: int) -> NoReturn:
        raise BackendDown("Docker does not answer")


def test_old_tasks_that_cannot_be_stopped_leave_the_new_release_live(machine: Machine) -> None:
    live = machine.live()
    said: list[str] = []
    follow = replace(machine.context.flow.deployer.shipper.after_live, scheduler=Stuck())
    follow.follow(live, machine.scheduler.tasks(SHOP), Output(said.append))
    assert any(
        "Docker does not answer; the old tasks are removed at the next occasion" in line
        for line in said
    )
    assert "=====> shop v1 is live" in "\n".join(said)
    assert machine.store.releases.get(SHOP, 1).status is ReleaseStatus.LIVE


def test_old_tasks_are_stopped(machine: Machine) -> None:
    live = machine.live()
    machine.context.flow.deployer.shipper.after_live.follow(
        live, machine.scheduler.tasks(SHOP), Quiet()
    )
    assert machine.places() == []
