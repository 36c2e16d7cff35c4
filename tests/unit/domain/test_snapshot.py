"""Which snapshots stay, and which one holds the data of a release."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pushdeploy.domain.disk import Attachment, CutOver, cut_over_of, cut_over_reason
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.release import Reason, Release, ReleaseStatus
from pushdeploy.domain.snapshot import (
    Snapshot,
    SnapshotRule,
    parse_snapshot,
    snapshot_after,
    superfluous,
)
from tests.unit.samples import ALICE, DATA, SHOP, slug

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
UPLOADS = DiskName("uploads")


def taken(number: int, days_old: int = 0, **changes: object) -> Snapshot:
    made = Snapshot(
        id=number,
        app=SHOP,
        description="By hand",
        by=ALICE,
        created_at=NOW - timedelta(days=days_old),
        sizes_bytes={UPLOADS: 5, DATA: 7},
        complete=True,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def release(version: int, status: ReleaseStatus, snapshot: int | None = None) -> Release:
    return Release(
        app=SHOP,
        version=version,
        status=status,
        reason=Reason.DEPLOY,
        description="",
        slug=slug(),
        config={},
        disks=(),
        by=ALICE,
        created_at=NOW,
        snapshot=snapshot,
    )


def test_a_snapshot_has_a_label_and_the_size_of_all_its_disks() -> None:
    assert (taken(12).label, taken(12).size_bytes, taken(12).disks) == ("s12", 12, [DATA, UPLOADS])
    assert (parse_snapshot("s12"), parse_snapshot("12")) == (12, 12)


@pytest.mark.parametrize("text", ["", "s", "s0", "v12", "s-1", "s1 2", "s12\n", "s" + "9" * 19])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        parse_snapshot(text)


def test_the_newest_stay_whatever_their_age() -> None:
    found = [taken(number, days_old=100) for number in (1, 2, 3)]
    assert [each.id for each in superfluous(found, (), SnapshotRule(2, 14, NOW))] == [1]


def test_the_young_stay_whatever_their_number() -> None:
    found = [taken(1, days_old=100), taken(2, days_old=13), taken(3), taken(4)]
    assert [each.id for each in superfluous(found, (), SnapshotRule(1, 14, NOW))] == [1]


def test_without_days_only_their_number_counts() -> None:
    found = [taken(1), taken(2), taken(3)]
    assert [each.id for each in superfluous(found, (), SnapshotRule(1, 0, NOW))] == [2, 1]


def test_what_is_needed_or_being_taken_stays() -> None:
    found = [taken(1, 100), taken(2, 100), taken(3, 100, complete=False), taken(4)]
    assert [each.id for each in superfluous(found, {1}, SnapshotRule(1, 14, NOW))] == [2]


def test_what_has_been_put_back_goes_but_for_the_newest() -> None:
    found = [taken(1), taken(2), taken(3), taken(4)]
    rule = SnapshotRule(10, 14, NOW)
    assert [each.id for each in superfluous(found, {2}, rule, spent={1, 2, 4})] == [1]


def test_the_data_of_a_release_is_what_its_successor_found() -> None:
    ledger = [
        release(4, ReleaseStatus.LIVE, 14),
        release(3, ReleaseStatus.RETIRED, 13),
        release(2, ReleaseStatus.FAILED, 12),
        release(1, ReleaseStatus.RETIRED, 11),
    ]
    assert [snapshot_after(ledger, version) for version in (1, 3)] == [13, 14]
    assert snapshot_after(ledger, 4) is None


def test_a_disk_has_one_writer_unless_a_person_says_otherwise() -> None:
    disks = [Attachment(DATA, "/data")]
    assert cut_over_of(disks, None) is CutOver.EXCLUSIVE
    assert cut_over_of(disks, CutOver.OVERLAP) is CutOver.OVERLAP
    assert cut_over_of([], None) is CutOver.OVERLAP
    assert cut_over_of([], CutOver.EXCLUSIVE) is CutOver.OVERLAP


def test_the_reason_of_a_cut_over_can_be_read() -> None:
    disks = [Attachment(DATA, "/data")]
    assert cut_over_reason([], None) == "no disk"
    assert "one version at a time" in cut_over_reason(disks, None)
    assert "cutover=overlap" in cut_over_reason(disks, CutOver.OVERLAP)
