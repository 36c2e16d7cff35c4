"""Copies of an app's disks: writable, in a private place, and gone afterwards."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pushdeploy.disks.directories import Directories
from pushdeploy.disks.snapshot_files import Room, SnapshotFiles
from pushdeploy.domain.app import App
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import NoRoom
from pushdeploy.domain.names import DiskName
from pushdeploy.release.copies import Copies
from tests.databases import open_store
from tests.unit.samples import DATA, SHOP

ATTACHED = [Attachment(DATA, "/data")]


class Place:
    """An app with a file on its disk."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = open_store(home / "store.sqlite3")
        self.app: App = self.store.apps.create(SHOP)
        self.disks = Directories(home / "disks")
        self.disk = self.disks.ensure(self.app, DATA)
        (self.disk / "note").write_text("one")

    def copies(self, snapshot_files: SnapshotFiles | None = None) -> Copies:
        snapshot_files = snapshot_files or SnapshotFiles(self.home / "snapshots")
        return Copies(self.store, snapshot_files, self.disks, self.home / "rehearsals")

    def left(self) -> list[str]:
        return [
            str(path) for name in ("snapshots/*/*", "rehearsals/*") for path in self.home.glob(name)
        ]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.store.close()


class Cramped(SnapshotFiles):
    def room(self, app_id: int, disks: Mapping[DiskName, Path], former: int | None) -> Room:
        return Room(needed_bytes=3000, free_bytes=5000, files=1)


def test_a_copy_is_the_apps_to_write_and_the_disk_stays_as_it_was(place: Place) -> None:
    copies = place.copies()
    with copies.snapshot(place.app, ATTACHED, print) as moment:
        (place.disk / "note").write_text("two")
        with copies.clones(moment) as disks:
            copy = disks.path(SHOP, DATA)
            assert (copy / "note").read_text() == "one"
            assert (copy / "note").stat().st_uid == (place.disk / "note").stat().st_uid
            assert copy.stat().st_mode == place.disk.stat().st_mode
            assert copy.stat().st_uid == place.disk.stat().st_uid
            (copy / "note").write_text("three")
            assert oct((place.home / "rehearsals").stat().st_mode)[-3:] == "700"
    assert (place.disk / "note").read_text() == "two"
    assert place.left() == []
    assert place.store.snapshots.list(SHOP) == []


def test_two_at_once_do_not_meet(place: Place) -> None:
    copies = place.copies()
    with (
        copies.snapshot(place.app, ATTACHED, print) as one,
        copies.snapshot(place.app, ATTACHED, print) as other,
        copies.clones(one) as first,
        copies.clones(other) as second,
    ):
        assert first.path(SHOP, DATA) != second.path(SHOP, DATA)
    assert place.left() == []


def test_an_error_in_the_middle_leaves_nothing(place: Place) -> None:
    copies = place.copies()
    with (
        pytest.raises(ZeroDivisionError),
        copies.snapshot(place.app, ATTACHED, print) as moment,
        copies.clones(moment),
    ):
        raise ZeroDivisionError
    assert place.left() == []


def test_without_room_for_snapshot_and_copy_nothing_is_begun(place: Place) -> None:
    copies = place.copies(Cramped(place.home / "snapshots"))
    with (
        pytest.raises(NoRoom, match=r"needs 5\.9 kB, and 4\.9 kB are free"),
        copies.snapshot(place.app, ATTACHED, print),
    ):
        pass
    assert place.left() == []


def test_a_disk_that_was_never_used_is_not_made(place: Place) -> None:
    copies = place.copies()
    attached = [Attachment(DiskName("other"), "/other")]
    with copies.snapshot(place.app, attached, print) as moment:
        assert list(moment.disks) == []
    assert [each.name for each in (place.home / "disks" / SHOP).iterdir()] == ["data"]


def test_what_a_killed_server_has_left_goes(place: Place) -> None:
    left = place.home / "rehearsals" / "0123456789abcdef" / "shop" / "data"
    left.mkdir(parents=True)
    (left / "link").symlink_to(place.disk)
    assert place.copies().sweep() == 1
    assert place.left() == []
    assert [each.name for each in place.disk.iterdir()] == ["note"]
    assert place.copies().sweep() == 0
