"""Whose a nameless piece of a build is, and whether it goes."""

from datetime import UTC, datetime, timedelta

from pushdeploy.domain.leftovers import Bound, BuildRecord, Window, doomed_images, doomed_records
from pushdeploy.domain.names import ImageDigest

NOW = datetime(2026, 2, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def record(name: str, *, made: timedelta, used: timedelta, size: int = 1) -> BuildRecord:
    """Times before now."""
    return BuildRecord(name, NOW - made, NOW - used, size, context=name.startswith("context"))


def window(begun: timedelta, ended: timedelta | None) -> Window:
    return Window(NOW - begun, None if ended is None else NOW - ended)


def bound(most_bytes: int = 100) -> Bound:
    kept = [window(9 * DAY, 9 * DAY - HOUR), window(2 * HOUR, HOUR), window(HOUR / 2, None)]
    return Bound(kept, [window(5 * HOUR, 4 * HOUR)], most_bytes, NOW)


def test_old_contexts_and_what_was_a_destroyed_apps_goes() -> None:
    records = [
        record("context-of-ours", made=1.5 * HOUR, used=HOUR),
        record("used-lately", made=9 * DAY, used=HOUR),
        record("used-long-ago", made=9 * DAY, used=8 * DAY),
        record("of-the-destroyed", made=4.5 * HOUR, used=4 * HOUR),
    ]
    assert set(doomed_records(records, bound())) == {
        "context-of-ours",
        "used-long-ago",
        "of-the-destroyed",
    }


def test_what_came_at_other_times_is_somebody_elses() -> None:
    records = [
        record("context-of-another", made=3 * HOUR, used=3 * HOUR),
        record("old-of-another", made=20 * DAY, used=20 * DAY),
        record("context-of-a-build-that-goes-on", made=HOUR / 4, used=HOUR / 4),
    ]
    assert doomed_records(records, bound()) == []


def test_beyond_the_bound_the_longest_unused_goes_first() -> None:
    records = [
        record("first", made=1.9 * HOUR, used=1.8 * HOUR, size=60),
        record("small", made=1.9 * HOUR, used=1.7 * HOUR, size=30),
        record("last", made=1.9 * HOUR, used=HOUR, size=60),
        record("of-another", made=3 * HOUR, used=HOUR, size=1000),
    ]
    assert doomed_records(records, bound()) == ["first"]


def test_nameless_images_of_our_times_go() -> None:
    mine, other = ImageDigest("sha256:1"), ImageDigest("sha256:2")
    nameless = [(mine, NOW - 1.5 * HOUR), (other, NOW - 3 * HOUR)]
    assert doomed_images(nameless, bound().kept) == [mine]
