"""Following logs for days: what a stream took from Docker goes back when it has ended."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pushdeploy.domain.container import ContainerSpec, LogLine
from pushdeploy.domain.names import AppName
from pushdeploy.run.logbook import Logbook
from pushdeploy.run.schedulers.docker_local import labels
from pushdeploy.run.schedulers.docker_local.tail import Tail
from tests.fakes import FakeEngine

APP = AppName("shop")


class CountingEngine(FakeEngine):
    """Knows how many logs are followed at this moment."""

    def __init__(self) -> None:
        super().__init__()
        self.followed = 0

    @contextmanager
    def logs(
        self, container: str, *, tail: int | None = None, follow: bool = False
    ) -> Iterator[Iterator[LogLine]]:
        self.followed += follow
        try:
            with super().logs(container, tail=tail, follow=follow) as lines:
                yield lines
        finally:
            self.followed -= follow

    def start_task(self, index: int, command: str) -> None:
        spec = ContainerSpec(
            image="shop:1",
            name=f"worker.{index}",
            labels={
                labels.APP: APP,
                labels.ROLE: labels.TASK,
                labels.TYPE: "worker",
                labels.INDEX: str(index),
                labels.RELEASE: "1",
                labels.PORT: "5000",
            },
            command=["/bin/sh", "-c", command],
        )
        self.start(self.create(spec))


def until(happened: Callable[[], bool]) -> None:
    """For a count that nobody announces: looked at again and again until the deadline."""
    deadline = time.monotonic() + 20
    pause = threading.Event()
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.01)


def test_following_gives_back_the_streams_of_tasks_that_have_ended_regression(
    tmp_path: Path,
) -> None:
    engine = CountingEngine()
    engine.add_image("shop:1")
    seen: queue.SimpleQueue[str] = queue.SimpleQueue()
    done = threading.Event()

    def follow() -> None:
        found = Tail(engine, Logbook(tmp_path), APP, None).follow(10, done.is_set)
        for _, line in filter(None, found):
            seen.put(line.text)

    thread = threading.Thread(target=follow)
    thread.start()
    engine.start_task(1, "echo 1; sleep 60")
    assert seen.get(timeout=20) == "1"
    for number in range(2, 8):
        engine.start_task(number, f"echo {number}")
        assert seen.get(timeout=20) == str(number)

    until(lambda: engine.followed == 1)
    done.set()
    thread.join(20)
    engine.close()
    assert engine.followed == 0
