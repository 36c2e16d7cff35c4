"""The data of an app outlives a release that has its disks for itself and fails."""

from collections.abc import Callable
from pathlib import Path

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.ports.streams import Streams
from pushdeploy.domain.release import ReleaseStatus
from tests.memory import MemoryScheduler
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.flow.orders import orders


class Tearing(MemoryScheduler):
    """Its commands change the data, and fail."""

    def __init__(self, data: Path) -> None:
        super().__init__()
        self.data = data

    def run_once(
        self,
        one_off: OneOff,
        streams: Streams,
        cancellation: Cancellation,
        gate: StartGate | None = None,
        ended: Callable[[int], None] | None = None,
    ) -> int:
        assert gate is not None
        assert gate.wait()
        self.data.write_text("torn")
        return 1


def test_data_that_a_migration_has_torn_is_put_back_and_the_live_release_serves(
    tmp_path: Path,
) -> None:
    (tmp_path / "repositories").mkdir()
    machine = Machine(tmp_path, Tearing(tmp_path / "disks" / "shop" / "data" / "orders"))
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live(release_command="migrate")
    orders(machine).write_text("one")

    answer = machine.type("config:set shop A=1")

    assert answer.status == 1
    assert "the data is as it was before" in answer.errors
    assert orders(machine).read_text() == "one"
    failed = machine.store.releases.get(SHOP, 2)
    assert failed.status is ReleaseStatus.FAILED
    assert machine.store.apps.get(SHOP).put_back is None
    assert [task.version for task in machine.scheduler.tasks(SHOP)] == [1]
    machine.store.close()
