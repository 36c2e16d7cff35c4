"""The clock goes on, whatever becomes of one chore, and keeps how each went."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from pushdeploy.domain.chore_run import ChoreRun
from pushdeploy.domain.errors import BackendDown, Busy
from pushdeploy.domain.timing import Every, Once, Throughout, Timing
from pushdeploy.upkeep.chore import Chore
from pushdeploy.upkeep.chore_runs import kept_runs
from pushdeploy.upkeep.clock import Clock, found_chores
from tests.unit.commands.machine import Machine
from tests.unit.ssh.host import until

SECONDS = 10


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.store.close()


def chore(name: str, run: Callable[[], object], timing: Timing | None = None) -> Chore:
    def once(*_: object) -> str | None:
        said = run()
        return said if isinstance(said, str) else None

    return Chore(name, lambda _: timing or Every(0.01), once)


@contextmanager
def ticking(machine: Machine, *chores: Chore) -> Iterator[Clock]:
    clock = Clock(machine.context.upkeep, chores)
    clock.start()
    try:
        yield clock
    finally:
        clock.stop()


def run_of(machine: Machine, name: str) -> ChoreRun:
    [found] = [each for each in machine.context.upkeep.runs.all() if each.chore == name]
    return found


def twice(*turns: threading.Semaphore) -> None:
    for turn in turns:
        assert turn.acquire(timeout=SECONDS)
        assert turn.acquire(timeout=SECONDS)


def test_a_chore_that_fails_keeps_nobody_from_the_others_nor_from_its_next_turn(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    failed, fallen, done = (threading.Semaphore(0) for _ in range(3))

    def unforeseen() -> None:
        failed.release()
        raise KeyError("SizeRw")

    def down() -> None:
        fallen.release()
        raise BackendDown("Docker does not answer", "systemctl start docker")

    with ticking(
        machine, chore("layers", unforeseen), chore("rules", down), chore("logs", done.release)
    ):
        twice(failed, fallen, done)

    assert "layers: not looked after" in caplog.text
    assert "KeyError" in caplog.text
    assert "rules: not looked after: Docker does not answer" in caplog.text


def test_a_chore_that_hangs_keeps_nobody_waiting_and_is_seen(machine: Machine) -> None:
    over, renewed = threading.Event(), threading.Semaphore(0)
    with ticking(machine, chore("layers", over.wait), chore("rules", renewed.release)):
        twice(renewed)
        assert run_of(machine, "layers").outcome == "running"
        over.set()


@dataclass(frozen=True, slots=True)
class HourlyFromNow(Every):
    def first_seconds(self, now: datetime, share: float) -> float:
        return 0


@pytest.mark.parametrize("timing", [Once(), HourlyFromNow(3600)])
@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (Busy("a deploy is going on"), "later"),
        (BackendDown("a disk usage operation is already running"), "failed"),
        (KeyError("BuildCache"), "failed"),
    ],
)
def test_what_comes_at_a_bad_moment_is_tried_again_soon(
    machine: Machine, timing: Timing, trouble: Exception, outcome: str
) -> None:
    """Once or each hour: it waits for neither the next start nor the next hour."""
    turns = iter([trouble])

    def run() -> None:
        for each in turns:
            raise each

    with ticking(machine, chore("leftovers", run, timing)):
        until(lambda: run_of(machine, "leftovers").outcome == outcome)
        until(lambda: run_of(machine, "leftovers").outcome == "ok")


def test_how_a_chore_went_is_kept_for_this_server_and_for_programs_beside_it(
    machine: Machine,
) -> None:
    stopped = threading.Event()

    def down() -> None:
        raise BackendDown("Docker does not answer")

    def last(run: Callable[[], object]) -> Callable[[], object]:
        """A turn that ends when the clock has stopped: no other comes after it."""
        return lambda: stopped.wait(SECONDS) and run()

    chores = [
        chore("good", last(lambda: None), Once()),
        chore("bad", last(down), Once()),
        chore("odd", last(lambda: 1 / 0), Once()),
        chore("told", last(lambda: "2 images stay"), Once()),
        chore("later", lambda: None, Every(3600)),
    ]
    ended = ("good", "bad", "odd", "told")
    with ticking(machine, *chores):
        until(lambda: all(run_of(machine, name).outcome == "running" for name in ended))
    stopped.set()
    until(lambda: all(run_of(machine, name).seconds is not None for name in ended))

    assert run_of(machine, "good").outcome == "ok"
    bad, odd = run_of(machine, "bad"), run_of(machine, "odd")
    assert (bad.outcome, bad.trouble) == ("failed", "Docker does not answer")
    assert (odd.outcome, odd.trouble.split(":")[0]) == ("failed", "ZeroDivisionError")
    assert run_of(machine, "told").trouble == "2 images stay"
    later = run_of(machine, "later")
    assert (later.outcome, later.began, later.when) == ("waiting", None, "every 3600 s")
    assert kept_runs(machine.home / "upkeep.json") == machine.context.upkeep.runs.all()


def test_what_lasts_is_told_when_the_server_stops(machine: Machine) -> None:
    told = threading.Event()

    def watch(_: object, stopping: threading.Event) -> None:
        assert stopping.wait(SECONDS)
        told.set()

    with ticking(machine, Chore("watch", lambda _: Throughout(), watch)):
        until(lambda: run_of(machine, "watch").outcome == "running")
    assert told.wait(SECONDS)


@dataclass
class Noted:
    """A timing that notes its first turn, and has none."""

    every: Every
    first: float = 0
    lasts = False

    def first_seconds(self, now: datetime, share: float) -> float:
        self.first = self.every.first_seconds(now, share)
        return 3600

    def next_seconds(self, now: datetime) -> float | None:
        return self.every.next_seconds(now)

    def __str__(self) -> str:
        return str(self.every)


def test_chores_of_one_timing_are_spread_over_it(machine: Machine) -> None:
    timings = [*(Noted(Every(60)) for _ in range(4)), Noted(Every(30))]
    with ticking(machine, *(chore(f"{n}", int, timing) for n, timing in enumerate(timings))):
        assert [timing.first for timing in timings] == [15, 30, 45, 60, 30]


def test_every_chore_of_the_server_is_found_and_named_once() -> None:
    names = [each.name for each in found_chores()]
    assert len(set(names)) == len(names)
    assert {"host rules", "leftovers", "reconcile", "router", "written layers"} <= set(names)
