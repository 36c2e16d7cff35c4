"""Disks get the data of a snapshot; what cannot be done is refused before anything stops."""

from tests.unit.commands.machine import SHOP, WEB, Machine
from tests.unit.flow.orders import orders


def test_a_restore_that_failed_is_not_repeated_unsaid(shop: Machine) -> None:
    shop.scheduler.broken.add(WEB)
    shop.type("disks:restore shop s1 --force")
    shop.scheduler.broken.clear()
    orders(shop).write_text("two")
    answer = shop.type("releases:retry shop")
    assert "v2 was to bring back the data of s1" in answer.errors
    assert "disks:restore shop s1" in answer.errors
    assert orders(shop).read_text() == "two"


def test_a_rollback_does_not_overwrite_a_disk_that_was_detached(shop: Machine) -> None:
    shop.type("disks:attach shop cache /cache")
    shop.type("config:set shop A=1")
    shop.type("disks:detach shop cache")
    kept = shop.home / "disks" / "shop" / "cache" / "kept"
    kept.write_text("new")
    ran = shop.scheduler.started
    answer = shop.type("releases:rollback shop v2 --with-disk --force")
    assert "is of disk cache, which is not attached to shop" in answer.errors
    assert kept.read_text() == "new"
    assert shop.scheduler.started == ran


def test_a_restore_before_the_first_release_can_be_undone(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("disks:attach shop data /data")
    machine.type("disks:snapshot shop")
    orders(machine).write_text("one")
    machine.type("disks:restore shop s1 --force")
    assert not orders(machine).exists()
    [before, _] = machine.store.snapshots.list(SHOP)
    assert before.description == "Before s1"
    machine.type(f"disks:restore shop {before.label} --force")
    assert orders(machine).read_text() == "one"


def test_a_restore_tells_why_it_has_the_disks_for_itself(shop: Machine) -> None:
    shop.type("disks:set shop cutover=overlap")
    answer = shop.type("disks:restore shop s1 --force")
    assert "cut-over: exclusive (a restore has the disks for itself)" in answer.out


def test_a_disk_without_snapshots_is_copied_by_name_only(shop: Machine) -> None:
    shop.type("disks:set shop data snapshots=off")
    answer = shop.type("disks:snapshot shop")
    assert "all disks of shop have snapshots=off" in answer.errors
    assert shop.type("disks:snapshot shop data").status == 0


def test_a_failure_does_not_promise_what_was_not_put_back(shop: Machine) -> None:
    shop.type("disks:attach shop cache /cache")
    shop.type("disks:set shop cache snapshots=off")
    shop.scheduler.broken.add(WEB)
    answer = shop.type("config:set shop A=1")
    assert "the data is as it was before, but for cache, with snapshots=off" in answer.errors
