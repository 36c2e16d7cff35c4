"""A person has disks copied, and removes such copies."""

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName
from tests.unit.commands.machine import SHOP, Machine

DATA, CACHE = DiskName("data"), DiskName("cache")


@pytest.fixture
def shop(machine: Machine, asker: Asker) -> Machine:
    """A live app with two disks, one of which is in no snapshot."""
    machine.context.flow.new_apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment(DATA, "/data"), Attachment(CACHE, "/cache")])
    machine.live()
    machine.context.flow.disks.change(SHOP, CACHE, ["snapshots=off"], asker)
    return machine


def test_disks_without_snapshots_are_copied_where_they_are_named(
    shop: Machine, asker: Asker
) -> None:
    take, app = shop.context.flow.snapshots.take, shop.store.apps.get(SHOP)
    assert list(take(app, [], "By hand", asker).disks) == [DATA]
    assert list(take(app, [CACHE], "By hand", asker).disks) == [CACHE]


def test_a_disk_that_is_not_there_is_not_copied(shop: Machine, asker: Asker) -> None:
    app = shop.store.apps.get(SHOP)
    with pytest.raises(UserError, match="shop has no disk lost"):
        shop.context.flow.snapshots.take(app, [DiskName("lost")], "By hand", asker)


def test_an_app_without_disks_has_nothing_to_copy(machine: Machine, asker: Asker) -> None:
    machine.live()
    with pytest.raises(UserError, match="shop has no disk"):
        machine.context.flow.snapshots.take(machine.store.apps.get(SHOP), [], "By hand", asker)


def test_a_snapshot_that_disks_wait_for_is_given_up_by_force_only(
    shop: Machine, asker: Asker
) -> None:
    snapshots, app = shop.context.flow.snapshots, shop.store.apps.get(SHOP)
    first, second = (snapshots.take(app, [DATA], "By hand", asker) for _ in range(2))
    shop.store.apps.set_put_back(SHOP, second.id)

    assert not snapshots.forget(SHOP, first.id, asker, force=False)
    with pytest.raises(UserError, match="still to be put back"):
        snapshots.forget(SHOP, second.id, asker, force=False)
    assert snapshots.forget(SHOP, second.id, asker, force=True)
    assert shop.store.apps.get(SHOP).put_back is None
    assert shop.store.snapshots.list(SHOP) == []
