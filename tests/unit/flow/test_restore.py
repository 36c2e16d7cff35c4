"""Disks get the data of a snapshot; what cannot be done is refused before anything stops."""

import re

from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.release import Release
from pushdeploy.output import Quiet
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


def test_a_disk_without_snapshots_is_copied_by_name_only(shop: Machine) -> None:
    shop.type("disks:set shop data snapshots=off")
    answer = shop.type("disks:snapshot shop")
    assert "all disks of shop have snapshots=off" in answer.errors
    assert shop.type("disks:snapshot shop data").status == 0


def releases(machine: Machine) -> list[Release]:
    return list(machine.store.releases.list(SHOP))


def test_a_restore_is_a_release_that_can_be_undone(unsaved: Machine) -> None:
    unsaved.type("disks:snapshot shop --note noon")
    orders(unsaved).write_text("two")

    answer = unsaved.type("disks:restore shop s1 --force")

    assert answer.status == 0, answer.errors
    assert orders(unsaved).read_text() == "one"
    assert releases(unsaved)[0].description == "Restore s1: noon"
    assert re.search(r"s1 is of .* UTC: data written in the .* since is lost", answer.out)
    assert answer.out.splitlines()[-1] == "disks:restore shop s2 undoes it"
    unsaved.type("disks:restore shop s2 --force")
    assert orders(unsaved).read_text() == "two"


def test_a_restore_leaves_the_release_command_out_when_told_so(unsaved: Machine) -> None:
    unsaved.live(release_command="migrate", key="migrates", image=ImageDigest("sha256:" + "6" * 64))
    unsaved.type("disks:snapshot shop")
    unsaved.type("disks:restore shop s1 --force --no-release-phase")
    assert unsaved.scheduler.once == []
    unsaved.type("disks:restore shop s1 --force")
    assert [once.command for once in unsaved.scheduler.once] == ["migrate"]


def test_a_restore_that_fails_leaves_the_data(unsaved: Machine) -> None:
    unsaved.type("disks:snapshot shop")
    orders(unsaved).write_text("two")
    unsaved.scheduler.broken.add(WEB)
    answer = unsaved.type("disks:restore shop s1 --force")
    assert answer.status == 1
    assert "v1 (5042d14) goes on serving" in answer.errors
    assert orders(unsaved).read_text() == "two"


def test_before_the_first_release_a_restore_is_done_at_once(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("disks:attach shop data /data")
    machine.type("disks:snapshot shop")
    orders(machine).write_text("one")
    answer = machine.type("disks:restore shop s1 --force")
    assert "the disks of shop hold what s1 holds" in answer.out
    assert not orders(machine).exists()


def test_what_is_restored_is_not_put_back_afterwards_regression(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("disks:attach shop data /data")
    machine.type("disks:snapshot shop")
    orders(machine).write_text("two")
    machine.type("disks:snapshot shop")
    machine.store.apps.set_put_back(SHOP, 2)
    assert machine.type("disks:restore shop s1 --force").status == 75
    assert machine.type("ps:start shop").status == 0
    assert machine.type("disks:restore shop s1 --force").status == 0
    machine.context.flow.converger.converge(SHOP, Quiet())
    assert not orders(machine).exists()
