"""Disks that are still to be put back: nothing is taken of them, and nothing of it is lost."""

import shutil

import pytest

from tests.unit.commands.machine import SHOP, Machine, refused
from tests.unit.flow.orders import orders


@pytest.mark.parametrize(
    "line",
    [
        "disks:snapshot shop",
        "disks:export shop data",
        "disks:clone shop data staging",
        "disks:set shop data size=1g",
        "releases:rehearse shop",
    ],
)
def test_nothing_is_made_of_disks_that_are_to_be_put_back(unsettled: Machine, line: str) -> None:
    unsettled.type("apps:create staging")
    answer = unsettled.type(line)
    assert answer.status != 0
    assert "the disks of shop are still to be put back from s1" in answer.errors
    assert "ps:start shop, first" in answer.errors
    assert [each.id for each in unsettled.store.snapshots.list(SHOP)] == [1]


def test_who_looks_is_told_that_disks_are_to_be_put_back(unsettled: Machine) -> None:
    assert unsettled.type("apps:info shop --format json").json["disks_to_put_back"] == "s1"
    assert "its disks are to be put back from s1" in unsettled.type("ps shop").errors
    unsettled.type("ps:start shop")
    assert unsettled.type("apps:info shop --format json").json["disks_to_put_back"] is None


@pytest.mark.parametrize("line", ["ps:start shop", "apps:rename shop store", "ps:scale shop web=2"])
def test_what_starts_an_app_puts_its_disks_back_first(unsettled: Machine, line: str) -> None:
    assert unsettled.type(line).status == 0
    place = unsettled.home / "disks" / ("store" if "store" in line else "shop")
    assert (place / "data" / "orders").read_text() == "one"


def test_a_disk_outlives_its_app_as_it_was_before_a_failed_release(unsettled: Machine) -> None:
    assert unsettled.type("apps:destroy shop --force").status == 0
    assert orders(unsettled).read_text() == "one"


def test_an_app_whose_disks_cannot_be_put_back_can_be_destroyed_with_them(
    unsettled: Machine,
) -> None:
    shutil.rmtree(unsettled.home / "snapshots")
    assert unsettled.type("apps:destroy shop --force").status == 1
    assert unsettled.type("apps:destroy shop --force --delete-disks").status == 0
    assert not orders(unsettled).exists()


def test_the_way_back_can_be_given_up_where_its_snapshot_is_lost(unsettled: Machine) -> None:
    shutil.rmtree(unsettled.home / "snapshots")
    unsettled.scheduler.running.clear()
    assert unsettled.type("ps:start shop").status == 1
    refused = unsettled.type("disks:forget shop s1")
    assert "disks:forget shop s1 --force" in refused.errors
    answer = unsettled.type("disks:forget shop s1 --force")
    assert "the disks stay as the failed release left them: ps:start shop" in answer.out
    assert unsettled.type("ps:start shop").status == 0
    assert unsettled.places() == ["web.1"]
    assert orders(unsettled).read_text() == "torn"


def test_disks_are_put_back_where_nothing_was_ever_live(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("disks:attach shop data /data")
    machine.type("disks:snapshot shop")
    orders(machine).write_text("torn")
    machine.store.apps.set_put_back(SHOP, 1)
    assert machine.type("ps:start shop").status == 0
    assert machine.store.apps.get(SHOP).put_back is None
    assert not orders(machine).exists()
    assert "has no live release" in machine.type("ps:start shop").errors


def test_a_snapshot_that_is_to_be_put_back_is_not_forgotten(unsaved: Machine) -> None:
    unsaved.type("disks:snapshot shop")
    unsaved.store.apps.set_put_back(SHOP, 1)
    answer = unsaved.type("disks:forget shop s1")
    assert refused(answer, "still to be put back from s1", "ps:start shop, first")


@pytest.mark.parametrize("line", ["disks:snapshot shop", "disks:export shop data"])
def test_what_a_failed_release_has_left_is_no_copy_of_the_data_regression(
    unsaved: Machine, line: str
) -> None:
    unsaved.type("disks:snapshot shop")
    orders(unsaved).write_text("half")
    unsaved.store.apps.set_put_back(SHOP, 1)
    answer = unsaved.type(line)
    assert answer.status == 75
    assert "still to be put back from s1" in answer.errors
    assert "ps:start shop, first" in answer.errors
    assert [each.label for each in unsaved.store.snapshots.list(SHOP)] == ["s1"]


def test_an_app_that_is_destroyed_leaves_its_disks_put_back_regression(unsaved: Machine) -> None:
    unsaved.type("disks:snapshot shop")
    orders(unsaved).write_text("half")
    unsaved.store.apps.set_put_back(SHOP, 1)
    assert unsaved.type("apps:destroy shop --force").status == 0
    assert orders(unsaved).read_text() == "one"
