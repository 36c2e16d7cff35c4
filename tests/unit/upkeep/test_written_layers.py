"""What containers write beside their disks is bounded, one app at a time."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.task import Slot, Task
from pushdeploy.route.deadline import until
from pushdeploy.upkeep.written_layers import WrittenLayers
from tests.memory import MemoryScheduler
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.samples import BLOG

SECONDS = 10


class SlowScheduler(MemoryScheduler):
    """Tasks of the shop start when they are let, from when on it is ``slow``."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = False
        self.let, self.asked_for = threading.Event(), threading.Semaphore(0)

    def run(
        self,
        manifest: Manifest,
        slots: Sequence[Slot],
        output: Output,
        cancellation: Cancellation,
        gate: StartGate | None = None,
    ) -> Sequence[Task]:
        if self.slow and manifest.app == SHOP:
            self.asked_for.release()
            assert self.let.wait(SECONDS)
        return MemoryScheduler.run(self, manifest, slots, output, cancellation, gate)


def layers_of(machine: Machine) -> WrittenLayers:
    context = machine.context
    return WrittenLayers(
        machine.scheduler, context.flow.restarts, context.flow.turns, most_bytes=100
    )


def test_an_app_that_does_not_start_anew_keeps_no_other_from_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(tmp_path)
    machine.live(SHOP)
    machine.live(BLOG)
    before = list(machine.scheduler.running)
    machine.scheduler.written = {task.container: 200 for task in before}
    machine.scheduler.broken_apps = {before[0].app}
    assert [task.app for task in before] == [SHOP, BLOG]

    layers_of(machine).bound()

    assert until(lambda: before[1] not in machine.scheduler.running, SECONDS)
    why = f"app={SHOP} web.1 is not started anew: web.1 did not start"
    assert until(lambda: why in caplog.text, SECONDS)
    assert machine.scheduler.running[0] == before[0]
    assert [task.app for task in machine.scheduler.running] == [SHOP, BLOG]


def test_nobody_waits_for_an_app_that_takes_long_to_start_anew(tmp_path: Path) -> None:
    scheduler = SlowScheduler()
    machine = Machine(tmp_path, scheduler)
    machine.live(SHOP)
    machine.live(BLOG)
    shop, blog = scheduler.running
    scheduler.written = {shop.container: 200}
    layers = layers_of(machine)
    scheduler.slow = True

    layers.bound()
    assert scheduler.asked_for.acquire(timeout=SECONDS)
    scheduler.written = {task.container: 200 for task in (shop, blog)}
    layers.bound()

    assert until(lambda: blog not in scheduler.running, SECONDS)
    assert shop in scheduler.running
    scheduler.let.set()
    assert until(lambda: shop not in scheduler.running, SECONDS)
    assert scheduler.started == 4, "each was started anew once"
