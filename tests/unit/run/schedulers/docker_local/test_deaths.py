"""How processes ended is remembered by place, and told to whoever watches a container."""

from datetime import UTC, datetime

import pytest

from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.task import Death, Slot, SlotDeaths
from pushdeploy.run.schedulers.docker_local.deaths import Deaths

SHOP = AppName("shop")
WEB = Slot(ProcessType("web"), 1)
WORKER = Slot(ProcessType("worker"), 1)
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
ABORTED = Death(AT, 134)


@pytest.mark.parametrize(
    ("death", "said"),
    [
        (Death(AT, 3), "exit code 3"),
        (Death(AT, 0), "exit code 0"),
        (Death(AT, 134), "exit code 134 (SIGABRT)"),
        (Death(AT, 139), "exit code 139 (SIGSEGV)"),
        (Death(AT, 137, out_of_memory=True), "exit code 137 (SIGKILL), for want of memory"),
        (Death(AT, 255), "exit code 255"),
        (Death(AT, -1), "exit code -1"),
    ],
)
def test_an_end_is_told_with_the_signal_that_caused_it(death: Death, said: str) -> None:
    assert str(death) == said


def test_ends_are_counted_by_place_and_the_last_one_is_kept() -> None:
    deaths = Deaths()
    deaths.note((SHOP, 1, WORKER), "c0", ABORTED, counts=True)
    deaths.note((SHOP, 1, WEB), "c1", Death(AT, 3), counts=True)
    deaths.note((SHOP, 1, WEB), "c2", ABORTED, counts=True)
    deaths.note((SHOP, 2, WEB), "c3", ABORTED, counts=False)
    assert deaths.release(SHOP, 1) == [
        SlotDeaths(WEB, 2, Death(AT, 3), ABORTED),
        SlotDeaths(WORKER, 1, ABORTED, ABORTED),
    ]
    assert deaths.release(SHOP, 2) == []
    assert deaths.of((SHOP, 2, WEB)) is None
    deaths.rename(SHOP, AppName("store"))
    assert deaths.of((AppName("store"), 1, WEB)) == SlotDeaths(WEB, 2, Death(AT, 3), ABORTED)
    assert deaths.release(SHOP, 1) == []


def test_a_watch_hears_of_an_end_before_and_while_it_lasts_and_not_after() -> None:
    deaths = Deaths()
    heard: list[tuple[Slot, Death]] = []
    deaths.note((SHOP, 1, WEB), "early", Death(AT, 3), counts=False)
    with deaths.told(["early", "late"], lambda *end: heard.append(end)):
        deaths.note((SHOP, 1, WORKER), "late", ABORTED, counts=True)
        deaths.note((SHOP, 1, WORKER), "another", ABORTED, counts=True)
    deaths.note((SHOP, 1, WORKER), "late", ABORTED, counts=True)
    assert heard == [(WEB, Death(AT, 3)), (WORKER, ABORTED)]


def test_no_more_is_kept_than_can_be_useful() -> None:
    deaths = Deaths()
    for version in range(5000):
        deaths.note((SHOP, version, WEB), f"c{version}", ABORTED, counts=True)
    assert deaths.of((SHOP, 0, WEB)) is None
    assert deaths.of((SHOP, 4999, WEB)) == SlotDeaths(WEB, 1, ABORTED, ABORTED)
