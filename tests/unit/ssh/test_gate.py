"""Who is let in before login, who makes room, and who is counted as one host."""

import threading

import pytest

from pushdeploy.ssh import gate as gate_module
from pushdeploy.ssh.gate import Gate


def nobody() -> None:
    raise AssertionError("this one must not be evicted")


def test_limits_count_those_inside_and_not_those_who_left() -> None:
    gate = Gate(20, most=3, most_per_host=2)
    first = gate.enter("192.0.2.1", nobody)
    assert first is not None
    assert gate.enter("192.0.2.1", nobody) is not None
    assert gate.enter("192.0.2.1", nobody) is None
    assert gate.enter("192.0.2.2", nobody) is not None
    assert gate.enter("192.0.2.3", nobody) is None
    gate.leave(first)
    gate.leave(first)
    assert len(gate) == 2
    assert gate.enter("192.0.2.1", nobody) is not None
    assert gate.enter("192.0.2.3", nobody) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::2%eth0"),
    ],
)
def test_addresses_of_one_host_are_counted_together(one: str, other: str) -> None:
    gate = Gate(20, most=9, most_per_host=1)
    assert gate.enter(one, nobody) is not None
    assert gate.enter(other, nobody) is None
    assert gate.enter("2001:db8:0:1::1", nobody) is not None


def test_oldest_makes_room_once_it_had_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "_YIELD_SECONDS", 0.0)
    evicted: list[int] = []
    gate = Gate(20, most=2, most_per_host=9)
    for number in range(4):
        assert gate.enter("192.0.2.1", lambda number=number: evicted.append(number))  # type: ignore[misc]
    assert evicted == [0, 1]
    assert len(gate) == 2


def test_those_who_stay_too_long_are_evicted_in_turn() -> None:
    gate = Gate(0.05, most=9, most_per_host=9)
    gate.start()
    one, other = threading.Event(), threading.Event()
    gate.enter("192.0.2.1", one.set)
    staying = gate.enter("192.0.2.1", nobody)
    assert staying is not None
    gate.leave(staying)
    assert one.wait(5)
    gate.enter("192.0.2.2", other.set)
    assert other.wait(5)
    gate.stop()
    assert len(gate) == 0


def test_refusals_are_logged_now_and_then_only(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate(20, most=1, most_per_host=1)
    gate.enter("192.0.2.1", nobody)
    for _ in range(100):
        assert gate.enter("192.0.2.1", nobody) is None
    assert len(caplog.records) == 1
