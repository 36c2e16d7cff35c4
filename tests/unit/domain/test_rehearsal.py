"""How two states of a database differ, and what a rehearsal says of the release."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pushdeploy.domain.names import DiskName
from pushdeploy.domain.rehearsal import (
    CommandRun,
    Contents,
    DatabaseContents,
    DiskGrowth,
    NameChanges,
    Report,
    Table,
    WebRun,
    database_changes,
)
from pushdeploy.domain.release import Reason, Release, ReleaseStatus
from tests.unit.samples import ALICE, DATA, SHOP, slug

ITEMS = Table({"id": "INTEGER PRIMARY KEY", "name": "TEXT"}, 3)
SAME = DatabaseContents({"items": ITEMS}, {"by_name": "CREATE INDEX by_name ON items (name)"})


@pytest.mark.parametrize(
    ("after", "change", "items", "columns", "rows"),
    [
        (ITEMS, "unchanged", "unchanged", NameChanges(), (3, 3)),
        (replace(ITEMS, rows=1), "changed", "unchanged", NameChanges(), (3, 1)),
        (replace(ITEMS, rows=None), "unchanged", "unchanged", NameChanges(), (3, None)),
        (
            Table({"id": "INTEGER PRIMARY KEY", "price": "INTEGER"}, 3),
            "changed",
            "changed",
            NameChanges(("price",), ("name",)),
            (3, 3),
        ),
        (
            Table({**ITEMS.columns, "name": "TEXT NOT NULL"}, 3),
            "changed",
            "changed",
            NameChanges(changed=("name",)),
            (3, 3),
        ),
        (None, "changed", "removed", NameChanges(removed=("id", "name")), (3, None)),
    ],
)
def test_what_has_become_of_a_table(
    after: Table | None,
    change: str,
    items: str,
    columns: NameChanges,
    rows: tuple[int | None, int | None],
) -> None:
    tables = {"items": after} if after else {}
    [found] = database_changes(
        DATA,
        Contents({"db.sqlite3": SAME}),
        Contents({"db.sqlite3": replace(SAME, tables=tables)}),
    )
    [table] = found.tables
    assert (found.disk, found.path, found.change) == (DATA, "db.sqlite3", change)
    assert (table.change, table.columns) == (items, columns)
    assert (table.rows_before, table.rows_after) == rows
    assert table.differs is (change == "changed")
    assert table.tells is (change == "changed" or None in rows)


def test_indexes_come_go_and_change() -> None:
    after = replace(SAME, indexes={"by_id": "CREATE INDEX by_id ON items (id)"})
    [found] = database_changes(DATA, Contents({"a": SAME}), Contents({"a": after}))
    assert (found.change, found.indexes) == ("changed", NameChanges(("by_id",), ("by_name",)))
    after = replace(SAME, indexes={"by_name": "CREATE UNIQUE INDEX by_name ON items (name)"})
    [found] = database_changes(DATA, Contents({"a": SAME}), Contents({"a": after}))
    assert found.indexes == NameChanges(changed=("by_name",))


def test_whole_databases_come_and_go_in_the_order_of_their_names() -> None:
    found = database_changes(DATA, Contents({"b": SAME}), Contents({"a": SAME}))
    assert [(each.path, each.change) for each in found] == [("a", "added"), ("b", "removed")]
    assert [each.tables[0].change for each in found] == ["added", "removed"]
    assert [each.indexes for each in found] == [
        NameChanges(added=("by_name",)),
        NameChanges(removed=("by_name",)),
    ]


def test_what_cannot_be_read_is_not_compared() -> None:
    broken = DatabaseContents(trouble="file is not a database")
    for before, after in ((SAME, broken), (broken, SAME)):
        [found] = database_changes(DATA, Contents({"a": before}), Contents({"a": after}))
        assert (found.trouble, found.tables) == ("file is not a database", ())


def report(command: CommandRun | None, web: WebRun, disk: DiskGrowth | None = None) -> Report:
    release = Release(
        SHOP, 2, ReleaseStatus.PENDING, Reason.DEPLOY, "", slug(), {}, (), ALICE, datetime.now(UTC)
    )
    return Report(release, release, False, 0.5, command, web, [disk] if disk else [], [])


HEALTHY = WebRun("healthy", boot_seconds=2.0, stop_seconds=0.25)
DONE = CommandRun("migrate", 0, 1.0)
DISK = DiskGrowth(DiskName("data"), True, 10, 30)


@pytest.mark.parametrize(
    ("made", "hold"),
    [
        (report(DONE, HEALTHY, DISK), 3.75),
        (report(None, HEALTHY, DISK), 2.75),
        (report(DONE, WebRun("none"), DISK), 1.5),
        (report(CommandRun("migrate", 3, 1.0), WebRun("skipped"), DISK), None),
        (report(CommandRun("migrate", None, 0.1, error="no sh"), WebRun("skipped"), DISK), None),
        (report(DONE, WebRun("failed", error="it did not answer"), DISK), None),
    ],
)
def test_the_hold_is_the_sum_of_its_parts_where_all_went_well(
    made: Report, hold: float | None
) -> None:
    assert made.went_well is (hold is not None)
    assert (made.hold.seconds if made.hold else None) == hold


def test_an_app_without_a_disk_holds_no_request() -> None:
    made = report(DONE, HEALTHY)
    assert made.went_well
    assert made.hold is None


def test_data_that_outgrows_its_disk_is_no_success() -> None:
    grown = replace(DISK, limit_bytes=20)
    assert (grown.growth_bytes, grown.fits) == (20, False)
    assert not report(DONE, HEALTHY, grown).went_well
    assert report(DONE, HEALTHY, replace(grown, limit_bytes=30)).went_well
