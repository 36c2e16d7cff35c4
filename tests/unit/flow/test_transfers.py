"""The data of a disk goes out, comes in, and what it would replace is told."""

from dataclasses import replace

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.flow.transfers import AppDisk
from tests.unit.commands.machine import SHOP, Machine

DATA = DiskName("data")
BLOG = AppName("blog")


@pytest.fixture
def shop(machine: Machine) -> AppDisk:
    """The disk of an app that has no release; a file is on it."""
    machine.context.flow.new_apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment(DATA, "/data")])
    app = machine.store.apps.get(SHOP)
    (machine.context.back_ends.disks.ensure(app, DATA) / "notes").write_text("a note")
    return AppDisk(app, DATA)


def test_what_has_gone_out_comes_in_elsewhere(
    machine: Machine, asker: Asker, shop: AppDisk
) -> None:
    machine.context.flow.new_apps.create(BLOG)
    blog = AppDisk(machine.store.apps.get(BLOG), DATA)
    transfers, tar = machine.context.flow.transfers, bytearray()
    with transfers.sent(shop, None, asker) as sent:
        sent.write_to(tar.extend)
    parts = iter([bytes(tar), b""])

    made = transfers.receive(blog, lambda: next(parts), asker)

    assert transfers.occupied(blog) is None
    assert transfers.bring_in(blog, made, asker) is None
    assert (machine.context.back_ends.disks.path(BLOG, DATA) / "notes").read_text() == "a note"


def test_what_would_be_replaced_is_told_with_whether_it_is_kept(
    machine: Machine, asker: Asker, shop: AppDisk
) -> None:
    transfers = machine.context.flow.transfers
    kept = transfers.occupied(shop)
    machine.context.flow.disks.change(SHOP, DATA, ["snapshots=off"], asker)
    lost = transfers.occupied(shop)
    assert (kept and kept.is_kept, lost and lost.is_kept) == (True, False)


def test_a_disk_that_is_not_there_cannot_be_sent(
    machine: Machine, asker: Asker, shop: AppDisk
) -> None:
    lost = AppDisk(shop.app, DiskName("lost"))
    with (
        pytest.raises(UserError, match="has no disk lost"),
        machine.context.flow.transfers.sent(lost, None, asker),
    ):
        pass


def test_nothing_comes_into_an_app_that_is_another_by_now(
    machine: Machine, asker: Asker, shop: AppDisk
) -> None:
    former = AppDisk(replace(shop.app, id=shop.app.id + 1), DATA)
    with pytest.raises(UserError, match="another app by now"):
        machine.context.flow.transfers.clone(shop, former, asker)
