"""Disks that are still to be put back, or were to be restored: nothing is taken of them, nothing
of it is lost on the way, and what cannot be done is refused before anything stops."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pushdeploy.disks.snapshot_files import Room, SnapshotFiles, TakenSnapshot
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import BackendDown, NoRoom, SnapshotFailed
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.release import ReleaseStatus
from pushdeploy.output import Output
from pushdeploy.release.snapshots import SnapshotPhase
from tests.unit.commands.machine import ADA, SHOP, WEB, Machine


@pytest.fixture
def shop(machine: Machine) -> Machine:
    """A live app with a snapshot of its disk."""
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live()
    orders(machine).write_text("one")
    machine.type("disks:snapshot shop")
    return machine


@pytest.fixture
def unsettled(shop: Machine) -> Machine:
    """The same, and a failed release has changed the data and could not put it back."""
    shop.store.apps.set_put_back(SHOP, 1)
    orders(shop).write_text("torn")
    return shop


def orders(machine: Machine) -> Path:
    return machine.home / "disks" / "shop" / "data" / "orders"


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


def test_what_was_put_back_serves_although_the_next_release_fails(unsettled: Machine) -> None:
    unsettled.type("disks:set shop cutover=overlap")
    unsettled.scheduler.running.clear()
    unsettled.scheduler.exit_code = 1
    unsettled.live(release_command="migrate", key="migrates")
    unsettled.store.apps.set_put_back(SHOP, 1)
    unsettled.scheduler.running.clear()
    answer = unsettled.type("config:set shop A=1")
    assert "goes on serving" in answer.errors
    assert unsettled.places() == ["web.1"]


# --------------------------------------------------------------------------- restores


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


# --------------------------------------------------------------------------- copies


class Sticky(SnapshotFiles):
    """One that nothing can be taken from."""

    def remove(self, app_id: int, snapshot: int) -> None:
        raise BackendDown("the snapshot cannot be used")


class Stubborn(Sticky):
    """Of a large disk that cannot be copied while its app runs."""

    why: type[BackendDown] = BackendDown

    def room(self, app_id: int, disks: Mapping[DiskName, Path], former: int | None) -> Room:
        return Room(10**9, 10**10, 1)

    def take(
        self,
        app_id: int,
        snapshot: int,
        disks: Mapping[DiskName, Path],
        former: int | None,
        line: Callable[[str], None],
        *,
        flush: bool = False,
    ) -> TakenSnapshot:
        raise self.why("the database orders has been kept locked by its app for 30 s")


class Full(Stubborn):
    why = NoRoom


def with_shelf(shop: Machine, kind: type[SnapshotFiles]) -> SnapshotPhase:
    return replace(shop.context.back_ends.snapshots, files=kind(shop.home / "snapshots"))


def test_a_database_that_is_kept_locked_is_copied_when_its_app_is_stopped(shop: Machine) -> None:
    said: list[str] = []
    disks, app = shop.store.disks.of(SHOP), shop.store.apps.get(SHOP)
    with with_shelf(shop, Stubborn).ahead(app, disks, ADA, Output(said.append)):
        assert "all is copied while requests wait" in said[1]


def test_a_copy_that_has_no_room_is_not_tried_again_while_requests_wait(shop: Machine) -> None:
    disks, app = shop.store.disks.of(SHOP), shop.store.apps.get(SHOP)
    with (
        pytest.raises(SnapshotFailed),
        with_shelf(shop, Full).ahead(app, disks, ADA, Output(lambda _: None)),
    ):
        pytest.fail("it has begun")


def test_an_old_snapshot_that_cannot_be_removed_fails_no_release_regression(shop: Machine) -> None:
    shipper = shop.context.flow.config_changes.shipper
    snapshots = replace(with_shelf(shop, Sticky), keep=0, days=0)
    shipper = replace(shipper, after_live=replace(shipper.after_live, snapshots=snapshots))
    changes = replace(shop.context.flow.config_changes, shipper=shipper)
    said: list[str] = []
    asker = Asker(ADA, Output(said.append), Cancellation())

    release = changes.configure(SHOP, {"A": "1"}, asker)

    assert release is not None
    assert release.status is ReleaseStatus.LIVE
    assert "old snapshots are removed at the next occasion" in said[-1]
