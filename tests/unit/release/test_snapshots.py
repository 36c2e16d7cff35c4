"""What is copied of large disks before requests wait."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pushdeploy.disks.directories import Directories
from pushdeploy.disks.snapshot_files import Room, SnapshotFiles, TakenSnapshot
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import BackendDown, NoRoom, PushdeployError, SnapshotFailed
from pushdeploy.domain.names import DiskName, KeyName
from pushdeploy.output import Quiet
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store
from tests.databases import open_store
from tests.unit.samples import DATA, SHOP

ADA = KeyName("ada")
ATTACHED = [Attachment(DATA, "/data")]


class Failing(SnapshotFiles):
    """With much to copy, and a reason why that does not work."""

    def __init__(self, root: Path, why: PushdeployError) -> None:
        super().__init__(root)
        self._why = why

    def room(self, app_id: int, disks: Mapping[DiskName, Path], former: int | None) -> Room:
        return Room(needed_bytes=10**9, free_bytes=10**10, files=1)

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
        raise self._why


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store.sqlite3")
    yield opened
    opened.close()


def phase(store: Store, home: Path, why: PushdeployError) -> SnapshotPhase:
    snapshot_files = Failing(home / "snapshots", why)
    return SnapshotPhase(
        store, snapshot_files, Directories(home / "disks"), keep=1, days=1, releases=1
    )


def test_a_database_that_its_app_keeps_locked_is_copied_in_the_hold_regression(
    store: Store, tmp_path: Path
) -> None:
    app = store.apps.create(SHOP)
    entered = []
    locked = BackendDown("the database db has been kept locked by its app for 30 s")
    with phase(store, tmp_path, locked).ahead(app, ATTACHED, ADA, Quiet()):
        entered.append("the hold")
    assert entered == ["the hold"]
    assert store.snapshots.list(SHOP) == []


def test_a_copy_that_runs_out_of_room_is_found_before_the_hold(
    store: Store, tmp_path: Path
) -> None:
    app = store.apps.create(SHOP)
    full = phase(store, tmp_path, NoRoom("the snapshot ran out of room"))
    with pytest.raises(SnapshotFailed, match="room"), full.ahead(app, ATTACHED, ADA, Quiet()):
        raise AssertionError("no hold begins")
