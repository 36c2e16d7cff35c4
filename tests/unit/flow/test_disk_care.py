"""A disk gets a size, and its data goes where it is not attached."""

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName
from tests.unit.commands.machine import SHOP, Machine

DATA = DiskName("data")


@pytest.fixture
def shop(machine: Machine) -> Machine:
    """An app with a disk that waits for its first release."""
    machine.context.flow.new_apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment(DATA, "/data")])
    machine.context.back_ends.disks.ensure(machine.store.apps.get(SHOP), DATA)
    return machine


def test_settings_of_disks_are_kept_for_the_next_release(shop: Machine, asker: Asker) -> None:
    disks = shop.context.flow.disks
    disks.change(SHOP, None, ["cutover=overlap"], asker)
    disks.change(SHOP, DATA, ["snapshots=off"], asker)
    settings = shop.store.apps.get(SHOP).settings.disks
    assert (settings.cut_over, list(settings.without_snapshots)) == (CutOver.OVERLAP, [DATA])


def test_a_disk_in_use_gets_no_first_size(shop: Machine, asker: Asker) -> None:
    shop.live()
    with pytest.raises(UserError, match="shop uses data"):
        shop.context.flow.disks.change(SHOP, DATA, ["size=1g"], asker)
    assert shop.store.apps.get(SHOP).settings.disks.disk_limits_bytes == {}


def test_a_disk_whose_place_is_taken_leaves_nothing(shop: Machine, asker: Asker) -> None:
    app, other = shop.store.apps.get(SHOP), Attachment(DiskName("other"), "/data")
    with pytest.raises(UserError, match="is attached at /data"):
        shop.context.flow.disks.attach(app, other, None, asker)
    assert list(shop.context.back_ends.disks.list(SHOP)) == [DATA]


def test_only_a_detached_disk_is_destroyed(shop: Machine, asker: Asker) -> None:
    disks = shop.context.flow.disks
    with pytest.raises(UserError, match="data is attached to shop"):
        disks.destroy(SHOP, DATA, asker)
    disks.attachments.detach(SHOP, DATA, asker)
    disks.destroy(SHOP, DATA, asker)
    with pytest.raises(UserError, match="has no data on a disk data"):
        disks.refuse_destroy(SHOP, DATA)


def test_a_disk_is_left_out_of_snapshots(unsaved: Machine) -> None:
    unsaved.type("disks:set shop data snapshots=off")
    assert unsaved.type("disks:set shop --format json").json["without_snapshots"] == ["data"]
    unsaved.type("config:set shop A=1")
    assert unsaved.store.snapshots.list(SHOP) == []
    unsaved.type("disks:set shop data snapshots=on")
    unsaved.type("config:set shop A=2")
    assert len(unsaved.store.snapshots.list(SHOP)) == 1
