"""Who is let in before login, who makes room, and who is counted as one host."""

import threading

import pytest

from pushdeploy.ssh import startups as module
from pushdeploy.ssh.startups import Startups
from tests.unit.ssh.host import DEADLINE_SECONDS


def nobody() -> None:
    raise AssertionError("this one must not be evicted")


def test_limits_count_those_inside_and_not_those_who_left() -> None:
    startups = Startups(20, most=3, most_per_host=2)
    first = startups.enter("192.0.2.1", nobody)
    assert first is not None
    assert startups.enter("192.0.2.1", nobody) is not None
    assert startups.enter("192.0.2.1", nobody) is None
    assert startups.enter("192.0.2.2", nobody) is not None
    assert startups.enter("192.0.2.3", nobody) is None
    startups.leave(first)
    startups.leave(first)
    assert len(startups) == 2
    assert startups.enter("192.0.2.1", nobody) is not None
    assert startups.enter("192.0.2.3", nobody) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::2%eth0"),
    ],
)
def test_addresses_of_one_host_are_counted_together(one: str, other: str) -> None:
    startups = Startups(20, most=9, most_per_host=1)
    assert startups.enter(one, nobody) is not None
    assert startups.enter(other, nobody) is None
    assert startups.enter("2001:db8:0:1::1", nobody) is not None


def test_oldest_makes_room_once_it_had_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_YIELD_SECONDS", 0.0)
    evicted: list[int] = []
    startups = Startups(20, most=2, most_per_host=9)
    for number in range(4):
        assert startups.enter("192.0.2.1", lambda number=number: evicted.append(number))  # type: ignore[misc]
    assert evicted == [0, 1]
    assert len(startups) == 2


def test_those_who_stay_too_long_are_evicted_in_turn() -> None:
    startups = Startups(0.05, most=9, most_per_host=9)
    startups.start()
    one, other = threading.Event(), threading.Event()
    startups.enter("192.0.2.1", one.set)
    staying = startups.enter("192.0.2.1", nobody)
    assert staying is not None
    startups.leave(staying)
    assert one.wait(DEADLINE_SECONDS)
    startups.enter("192.0.2.2", other.set)
    assert other.wait(DEADLINE_SECONDS)
    startups.stop()
    assert len(startups) == 0


def test_refusals_are_logged_now_and_then_only(caplog: pytest.LogCaptureFixture) -> None:
    startups = Startups(20, most=1, most_per_host=1)
    startups.enter("192.0.2.1", nobody)
    for _ in range(100):
        assert startups.enter("192.0.2.1", nobody) is None
    assert len(caplog.records) == 1
