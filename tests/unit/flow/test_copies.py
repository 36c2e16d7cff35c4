"""Copies that cannot be taken, or removed, on the way of a release."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pushdeploy.disks.snapshot_files import Room, SnapshotFiles, TakenSnapshot
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BackendDown, NoRoom, SnapshotFailed
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.release import ReleaseStatus
from pushdeploy.output import Output
from pushdeploy.release.snapshots import SnapshotPhase
from tests.unit.commands.machine import ADA, SHOP, Machine


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
