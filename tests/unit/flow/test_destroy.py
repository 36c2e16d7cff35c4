"""An app goes with all that is its own, but for the data on its disks."""

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import DiskName
from tests.unit.commands.machine import SHOP, Machine

DATA = DiskName("data")


@pytest.mark.parametrize("with_data", [False, True])
def test_only_the_data_of_its_disks_may_stay(
    machine: Machine, asker: Asker, with_data: bool
) -> None:
    machine.context.flow.new_apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment(DATA, "/data")])
    machine.live()
    data = machine.context.back_ends.disks.path(SHOP, DATA) / "notes"
    data.write_text("kept")

    kept = machine.context.flow.destruction.destroy(SHOP, asker, with_data=with_data)

    assert list(kept) == ([] if with_data else [DATA])
    assert data.exists() is not with_data
    assert machine.store.apps.find(SHOP) is None
    assert machine.places() == []
    assert SHOP not in machine.router.table
    assert not machine.refs.path(SHOP).exists()
