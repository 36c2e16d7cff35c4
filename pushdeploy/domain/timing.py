"""A timing says when a thing is due that is done again and again; it looks at no clock itself."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol

AGAIN_SECONDS = 5.0
"""What goes on for good and has ended by itself is begun again so long after."""

SOONEST_SECONDS = 1.0
LATEST_SECONDS = 3600.0


class Timing(Protocol):
    """``lasts`` tells that one turn may take as long as the server runs."""

    @property
    def lasts(self) -> bool: ...
    def first_seconds(self, now: datetime, share: float) -> float:
        """Seconds until the first turn; ``share``, above 0 and up to 1, spreads several of them."""

    def next_seconds(self, now: datetime) -> float | None:
        """Seconds from the end of a turn to the next one, None where it was the last."""


def pause_seconds(timing: Timing, now: datetime, undone: int) -> float | None:
    """Seconds until the next turn, after so many in a row that have not got everything done.

    What fails at a bad moment is tried again soon, and then later and later, but never later than
    it is due anyway. None where nothing is left to do.
    """
    due = timing.next_seconds(now)
    if not undone:
        return due
    return min(retry_seconds(undone), LATEST_SECONDS if due is None else due)


def retry_seconds(tries: int) -> float:
    """Give the pause after the last of so many tries: twice as long each time, up to an hour."""
    return min(SOONEST_SECONDS * 2.0 ** min(tries - 1, 16), LATEST_SECONDS)


@dataclass(frozen=True, slots=True)
class Every:
    """Due every so many ``seconds``."""

    seconds: float
    lasts = False

    def first_seconds(self, now: datetime, share: float) -> float:
        del now
        return self.seconds * share

    def next_seconds(self, now: datetime) -> float:
        del now
        return self.seconds

    def __str__(self) -> str:
        return f"every {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Daily:
    """Due once a day at ``at``, in UTC, or up to ``spread_seconds`` later."""

    at: time
    spread_seconds: float = 0
    lasts = False

    def first_seconds(self, now: datetime, share: float) -> float:
        return self.next_seconds(now) + self.spread_seconds * share

    def next_seconds(self, now: datetime) -> float:
        due = datetime.combine(now.date(), self.at, now.tzinfo)
        return ((due if due > now else due + timedelta(days=1)) - now).total_seconds()

    def __str__(self) -> str:
        return f"daily at {self.at:%H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Once:
    """Due once, as soon as all is served, and again only until it has got everything done."""

    lasts = True

    def first_seconds(self, now: datetime, share: float) -> float:
        del now, share
        return 0

    def next_seconds(self, now: datetime) -> None:
        del now

    def __str__(self) -> str:
        return "after a start"


@dataclass(frozen=True, slots=True)
class Throughout:
    """Goes on for as long as the server runs, and is begun again should it end by itself."""

    lasts = True

    def first_seconds(self, now: datetime, share: float) -> float:
        del now, share
        return 0

    def next_seconds(self, now: datetime) -> float:
        del now
        return AGAIN_SECONDS

    def __str__(self) -> str:
        return "all the time"
