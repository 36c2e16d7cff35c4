"""The output of releases: batched, bounded, in order."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from pushdeploy.store import Store, recorder
from pushdeploy.store.outputs import CUT, HEAD_BYTES, MOST_BYTES
from tests.unit.samples import SHOP, candidate


@pytest.fixture(autouse=True)
def release(store: Store) -> None:
    store.apps.create(SHOP)
    store.releases.create(candidate())


@pytest.fixture
def commits(store: Store) -> Callable[[], int]:
    """How many transactions were committed so far."""
    seen: list[None] = []
    event.listen(store._database._engine, "commit", lambda _: seen.append(None))
    return lambda: len(seen)


def test_lines_come_back_as_they_were_written(store: Store) -> None:
    written = ["-----> Step", "", "  ünï ☃", "a\tb", "carriage\rreturn"]
    with store.releases.recorder(SHOP, 1) as output:
        for line in written:
            output.write(line)
    assert store.releases.output(SHOP, 1) == written


def test_bytes_that_no_database_holds_do_not_lose_the_line(store: Store) -> None:
    with store.releases.recorder(SHOP, 1) as output:
        output.write("nul \0 and surrogate \udc80")
    assert store.releases.output(SHOP, 1) == ["nul \ufffd and surrogate ?"]


def test_second_recorder_goes_on_where_the_first_ended(store: Store) -> None:
    with store.releases.recorder(SHOP, 1) as output:
        output.write("one")
    with store.releases.recorder(SHOP, 1) as output:
        output.write("two")
    assert store.releases.output(SHOP, 1) == ["one", "two"]


def test_flushed_lines_are_kept_while_the_recorder_goes_on(store: Store) -> None:
    with store.releases.recorder(SHOP, 1) as output:
        output.write("one")
        output.flush()
        assert store.releases.output(SHOP, 1) == ["one"]
        output.flush()
        output.write("two")
    assert store.releases.output(SHOP, 1) == ["one", "two"]


def test_lines_are_kept_within_a_moment_though_nothing_follows_them(store: Store) -> None:
    with store.releases.recorder(SHOP, 1) as output:
        output.write("a migration that says nothing more")
        deadline = time.monotonic() + 30
        while not store.releases.output(SHOP, 1) and time.monotonic() < deadline:
            pass
        assert store.releases.output(SHOP, 1) == ["a migration that says nothing more"]


def test_many_lines_cost_few_commits(store: Store, commits: Callable[[], int]) -> None:
    with store.releases.recorder(SHOP, 1) as output:
        before = commits()
        for number in range(20_000):
            output.write(f"line {number}")
    assert commits() - before < 100
    assert store.releases.output(SHOP, 1) == [f"line {number}" for number in range(20_000)]


def test_lines_that_come_slowly_are_gathered_for_a_moment(
    store: Store, commits: Callable[[], int]
) -> None:
    with store.releases.recorder(SHOP, 1) as output:
        before, began = commits(), time.monotonic()
        next_at, end = began, began + 0.5
        while (now := time.monotonic()) < end:
            if now >= next_at:
                output.write("x")
                next_at = now + 0.001
    moments = (time.monotonic() - began) / recorder._BATCH_SECONDS
    assert 1 <= commits() - before <= moments + 2


def test_lines_of_many_threads_are_all_kept(store: Store) -> None:
    with store.releases.recorder(SHOP, 1) as output, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: output.write(str(number)), range(2000)))
    assert sorted(map(int, store.releases.output(SHOP, 1))) == list(range(2000))


def test_of_too_much_output_the_beginning_and_the_end_are_kept(store: Store) -> None:
    line = "x" * 1000
    with store.releases.recorder(SHOP, 1) as output:
        output.write("first")
        for _ in range(16_000):
            output.write(line)
        output.write("last")

    lines = store.releases.output(SHOP, 1)
    size_bytes = sum(len(each) + 1 for each in lines)
    assert (lines[0], lines[-1], lines.count(CUT)) == ("first", "last", 1)
    assert HEAD_BYTES * 0.6 < lines.index(CUT) * 1001 <= HEAD_BYTES
    assert MOST_BYTES * 0.8 < size_bytes <= MOST_BYTES + len(CUT) * 4


def test_too_long_a_line_is_cut(store: Store) -> None:
    with store.releases.recorder(SHOP, 1) as output:
        output.write("y" * 1_000_000)
    (line,) = store.releases.output(SHOP, 1)
    assert line == "y" * 65536 + " […]"


def test_lost_database_is_logged_and_does_not_stop_the_deploy(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger=recorder.__name__):
        with store.releases.recorder(SHOP, 1) as output:
            store.apps.destroy(SHOP)
            output.write("to nowhere")
            output.flush()
        output.write("too late")
    assert "1 lines of a release's output are lost" in caplog.text
