"""Builds leave nameless things in the engine, told apart by the time at which they came to be."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pushdeploy.domain.names import ImageDigest

UNUSED = timedelta(days=7)
"""After so long nobody comes back to what a build left, most likely."""

_SLACK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Window:
    """A window is the time of a build of ours; ``ended`` is None while it still goes on."""

    begun: datetime
    ended: datetime | None

    def holds(self, moment: datetime) -> bool:
        return self.ended is not None and self.begun - _SLACK <= moment <= self.ended + _SLACK


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """A piece of BuildKit's cache. A ``context`` was sent for one build and serves no other."""

    id: str
    created_at: datetime
    used_at: datetime
    size_bytes: int
    context: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """``kept`` are windows of apps that there are, ``gone`` of those that were destroyed.

    What several engines' users share is told apart by these times alone, so that a piece of
    somebody else's cache may be taken for ours when both were building: it is then built anew.
    """

    kept: Sequence[Window]
    gone: Sequence[Window]
    most_bytes: int
    now: datetime


def doomed_records(records: Iterable[BuildRecord], bound: Bound) -> Sequence[str]:
    """List ids of ours that nobody uses: contexts, old records, those of apps that are gone.

    Beyond ``most_bytes`` those go that have not been used for longest.
    """
    doomed: list[str] = []
    size_bytes = 0
    for record in sorted(records, key=lambda each: each.used_at, reverse=True):
        if _within(record.created_at, bound.kept):
            size_bytes += record.size_bytes
            old = bound.now - record.used_at > UNUSED
            if record.context or old or size_bytes > bound.most_bytes:
                size_bytes -= record.size_bytes
                doomed.append(record.id)
        elif _within(record.created_at, bound.gone):
            doomed.append(record.id)
    return doomed


def doomed_images(
    nameless: Iterable[tuple[ImageDigest, datetime]], windows: Collection[Window]
) -> Sequence[ImageDigest]:
    """List the classic builder's steps that came while we built and on which nothing stands."""
    return [image for image, created_at in nameless if _within(created_at, windows)]


def _within(moment: datetime, windows: Iterable[Window]) -> bool:
    return any(window.holds(moment) for window in windows)
