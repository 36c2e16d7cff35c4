"""When something is due again."""

from datetime import UTC, datetime, time, timedelta

import pytest

from pushdeploy.domain.chore_run import HANGING_SECONDS, ChoreRun
from pushdeploy.domain.timing import (
    LATEST_SECONDS,
    Daily,
    Every,
    Once,
    Throughout,
    Timing,
    pause_seconds,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(("share", "seconds"), [(0.25, 15), (1, 60)])
def test_first_turns_are_spread_and_later_ones_are_a_whole_pause_apart(
    share: float, seconds: float
) -> None:
    assert Every(60).first_seconds(NOON, share) == seconds
    assert Every(60).next_seconds(NOON) == 60


@pytest.mark.parametrize(
    ("at", "hours"), [(time(13), 1), (time(12), 24), (time(11, 30), 23.5), (time(0), 12)]
)
def test_a_time_of_day_is_today_or_tomorrow(at: time, hours: float) -> None:
    assert Daily(at).next_seconds(NOON) == hours * 3600
    assert Daily(at, spread_seconds=600).first_seconds(NOON, 0.5) == hours * 3600 + 300


def test_what_is_done_once_has_no_next_turn_and_what_lasts_begins_again() -> None:
    once: Timing = Once()
    assert (once.first_seconds(NOON, 1), once.next_seconds(NOON)) == (0, None)
    assert (Throughout().first_seconds(NOON, 1), Throughout().next_seconds(NOON)) == (0, 5)


@pytest.mark.parametrize("timing", [Every(60), Daily(time(13)), Once(), Throughout()])
def test_what_is_not_done_is_tried_again_soon_then_later_but_never_later_than_it_is_due(
    timing: Timing,
) -> None:
    due = timing.next_seconds(NOON)
    assert pause_seconds(timing, NOON, 0) == due
    pauses = [pause_seconds(timing, NOON, undone) or 0 for undone in range(1, 2000)]
    assert pauses[:2] == [1, 2]
    assert pauses == sorted(pauses)
    assert pauses[-1] == min(due or LATEST_SECONDS, LATEST_SECONDS)


def test_a_timing_says_in_words_when_it_is() -> None:
    shown = [str(each) for each in (Every(90), Daily(time(3, 30)), Once(), Throughout())]
    assert shown == ["every 90 s", "daily at 03:30 UTC", "after a start", "all the time"]


@pytest.mark.parametrize(
    ("lasts", "outcome", "seconds", "hangs"),
    [
        (False, "running", HANGING_SECONDS + 1, True),
        (False, "running", HANGING_SECONDS - 1, False),
        (True, "running", HANGING_SECONDS + 1, False),
        (False, "ok", HANGING_SECONDS + 1, False),
    ],
)
def test_a_turn_that_takes_very_long_hangs(
    lasts: bool, outcome: str, seconds: float, hangs: bool
) -> None:
    began = NOON - timedelta(seconds=seconds)
    run = ChoreRun("x", "every 60 s", lasts, outcome, began)  # type: ignore[arg-type]
    assert run.hangs(NOON) is hangs
