"""What nobody asks for goes on, whatever becomes of one chore."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.serve import look_after


@contextmanager
def looked_after(chores: Mapping[str, Callable[[], object]]) -> Iterator[None]:
    stopping = threading.Event()
    look_after(chores, 0.01, stopping)
    try:
        yield
    finally:
        stopping.set()


def test_a_chore_that_fails_keeps_nobody_from_the_others_nor_from_its_next_turn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed, fallen, done = (threading.Semaphore(0) for _ in range(3))

    def unforeseen() -> None:
        failed.release()
        raise KeyError("SizeRw")

    def down() -> None:
        fallen.release()
        raise BackendDown("Docker does not answer", "systemctl start docker")

    with looked_after({"layers": unforeseen, "walls": down, "logs": done.release}):
        for turn in (failed, fallen, done):
            assert turn.acquire(timeout=10)
            assert turn.acquire(timeout=10)

    assert "layers: not looked after" in caplog.text
    assert "KeyError" in caplog.text
    assert "walls: not looked after: Docker does not answer" in caplog.text


def test_a_chore_that_takes_long_keeps_nobody_waiting() -> None:
    over, renewed = threading.Event(), threading.Semaphore(0)
    with looked_after({"layers": over.wait, "walls": renewed.release}):
        assert renewed.acquire(timeout=10)
        assert renewed.acquire(timeout=10)
        over.set()
