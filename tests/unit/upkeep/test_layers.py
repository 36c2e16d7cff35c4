"""What containers write beside their disks is bounded, one app at a time."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from pushdeploy.upkeep.layers import Layers
from tests.fakes import FakeEngine
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.samples import BLOG


class FilledEngine(FakeEngine):
    """Its containers have written what ``sizes`` says."""

    sizes: Mapping[str, int] = {}

    def layer_sizes(self) -> Mapping[str, int]:
        return self.sizes


def test_an_app_that_does_not_start_anew_keeps_no_other_from_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine, engine = Machine(tmp_path), FilledEngine()
    machine.live(SHOP)
    machine.live(BLOG)
    before = list(machine.scheduler.running)
    engine.sizes = {task.container: 200 for task in before}
    machine.scheduler.broken_apps = {before[0].app}
    platform = machine.platform
    layers = Layers(engine, machine.scheduler, platform.reconciler, platform.locks, most_bytes=100)

    layers.bound()

    assert [task.app for task in before] == [SHOP, BLOG]
    assert machine.scheduler.running[0] == before[0]
    assert [task.app for task in machine.scheduler.running] == [SHOP, BLOG]
    assert before[1] not in machine.scheduler.running
    assert f"app={SHOP} web.1 is not started anew: web.1 did not start" in caplog.text
