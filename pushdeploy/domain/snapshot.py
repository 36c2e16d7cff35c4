"""Snapshots: copies of an app's disks as of one moment, and which of them stay."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, DiskName, KeyName
from pushdeploy.domain.release import Release

_LABEL = re.compile(r"s?([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``id`` is never given twice. ``version`` is the release before which it was taken, if any.

    ``sizes_bytes`` are of the data, whatever room the copy takes; None where they are damaged. One
    that is not ``complete`` is being taken, or was cut short.
    """

    id: int
    app: AppName
    description: str
    by: KeyName
    created_at: datetime
    version: int | None = None
    kind: str = ""
    sizes_bytes: Mapping[DiskName, int] | None = None
    complete: bool = False

    @property
    def label(self) -> str:
        return f"s{self.id}"

    @property
    def disks(self) -> Sequence[DiskName]:
        return sorted(self.sizes_bytes or {})

    @property
    def size_bytes(self) -> int:
        return sum((self.sizes_bytes or {}).values())


@dataclass(frozen=True, slots=True)
class SnapshotRule:
    """The newest ``keep`` of an app stay, and all younger than ``days``; 0: by count only."""

    keep: int
    days: int
    now: datetime


def parse_snapshot(text: str) -> int:
    """``s12`` or ``12``."""
    match = _LABEL.fullmatch(text)
    if match is None:
        raise UserError(f"{text[:40]!r} is not a snapshot", "write it like s12")
    return int(match.group(1))


def snapshot_after(releases: Sequence[Release], version: int) -> int | None:
    """The snapshot that holds the data as release ``version`` left it, None where there is none.

    It was taken before the release that took its place: the first later one that went live.
    """
    later = [each for each in releases if each.version > version and each.status.went_live]
    return min(later, key=lambda each: each.version).snapshot if later else None


def superfluous(
    snapshots: Sequence[Snapshot],
    needed: Collection[int],
    rule: SnapshotRule,
    spent: Collection[int] = (),
) -> Sequence[Snapshot]:
    """List the snapshots of one app that may go, newest first; a kept release needs ``needed``
    ones.

    ``spent`` ones have been put back, so the disks hold what they hold: only the newest of all
    stays, for the next to share its files.
    """
    newest_first = sorted(snapshots, key=lambda each: -each.id)
    oldest = rule.now - timedelta(days=rule.days)

    def may_go(place: int, each: Snapshot) -> bool:
        if not each.complete or each.id in needed:
            return False
        if each.id in spent:
            return place > 0
        return place >= rule.keep and (not rule.days or each.created_at < oldest)

    return [each for place, each in enumerate(newest_first) if may_go(place, each)]
