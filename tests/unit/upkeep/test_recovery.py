"""What a killed server has left half-done is ended before anything else is started."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.release import Candidate, Reason, ReleaseStatus
from pushdeploy.route.deadline import until
from tests.memory import MemoryRouter
from tests.unit.commands.machine import ADA, SHOP, Machine
from tests.unit.flow.one_writer import live_one_writer, scheduler_of


@pytest.fixture
def one_writer(tmp_path: Path) -> Iterator[Machine]:
    yield from live_one_writer(tmp_path, MemoryRouter())


def test_nothing_is_started_beside_a_release_command_that_outlived_the_server(
    one_writer: Machine,
) -> None:
    live = one_writer.store.releases.current(SHOP)
    assert live is not None
    one_writer.scheduler.running.clear()
    disks = one_writer.store.disks.of(SHOP)
    candidate = Candidate(SHOP, live.slug, {}, disks, Reason.DEPLOY, "Deploy", ADA)
    made = one_writer.store.releases.create(replace(candidate, cut_over=CutOver.EXCLUSIVE))
    one_writer.store.releases.set_status(SHOP, made.version, ReleaseStatus.RELEASING)

    one_writer.context.upkeep.recovery.recover()

    scheduler = scheduler_of(one_writer)
    assert scheduler.finishing.wait(10)
    assert not one_writer.context.locks.traffic._locks[SHOP].acquire(blocking=False)
    assert one_writer.places() == []
    scheduler.finished.set()
    assert until(lambda: one_writer.places() == ["web.1"], 10)
