"""Disks are attached and detached by releases of their own, or wait for the first one."""

import pytest

from pushdeploy.domain.disk import Attachment
from tests.unit.commands.machine import SHOP, Machine


@pytest.mark.parametrize("line", ["disks:attach shop data /data", "storage:mount shop data:/data"])
def test_a_disk_is_attached_by_a_release_of_its_own(machine: Machine, line: str) -> None:
    machine.live()
    assert machine.type(line).status == 0
    assert list(machine.store.disks.of(SHOP)) == [Attachment.parse("data", "/data")]
    latest = machine.store.releases.latest(SHOP)
    assert latest
    assert latest.description == "Attach data"


def test_a_detached_disk_stays_in_the_list_with_its_data(machine: Machine) -> None:
    machine.live()
    machine.type("disks:attach shop data /data")
    (machine.home / "disks" / "shop" / "data" / "file").write_bytes(b"x" * 50_000)
    answer = machine.type("storage:unmount shop data:/data")
    assert answer.status == 0
    assert "stays in" in answer.out
    (row,) = machine.type("disks:list shop --format json").json
    assert (row["name"], row["attached"], row["mount_path"]) == ("data", False, None)
    assert row["used_bytes"] >= 50_000
    assert machine.type("storage:list shop").out.split()[:2] == ["data", "detached"]
