"""What /proc says of nginx processes, told on processes that bear their titles."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.workers import (
    children_of,
    is_idle,
    takes_connections,
    workers_of,
)

Start = Callable[[str], subprocess.Popen[bytes]]
SECONDS = 10


@pytest.fixture
def start() -> Iterator[Start]:
    """A process with a child; both have the title."""
    started: list[subprocess.Popen[bytes]] = []

    def titled(title: str) -> subprocess.Popen[bytes]:
        script = 'exec -a "$0" sleep 60 & exec -a "$0" sleep 60'
        process = subprocess.Popen(["bash", "-c", script, title], start_new_session=True)
        started.append(process)
        assert until(lambda: bool(_titled_children(process.pid, title)), SECONDS)
        return process

    yield titled
    for process in started:
        for child in children_of(process.pid):
            subprocess.run(["kill", "-9", str(child)], check=False)
        process.kill()
        process.wait()


def test_a_child_that_still_bears_its_masters_title_takes_connections(start: Start) -> None:
    (child,) = children_of(start("nginx: master process ./nginx").pid)
    assert takes_connections(child)


def test_such_a_child_is_not_listed_as_a_worker_yet(start: Start) -> None:
    assert workers_of(start("nginx: master process ./nginx").pid) == []


def test_a_worker_that_is_leaving_takes_none(start: Start) -> None:
    (child,) = children_of(start("nginx: worker process is shutting down").pid)
    assert not takes_connections(child)


def test_another_program_takes_none(start: Start) -> None:
    (child,) = children_of(start("sleep").pid)
    assert not takes_connections(child)


def test_a_master_that_has_ended_has_no_children() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert children_of(ended.pid) == frozenset()


@pytest.mark.parametrize(("blocked", "idle"), [("SIGHUP", False), ("SIGTERM", True)])
def test_a_master_that_blocks_its_signals_is_at_work(blocked: str, idle: bool) -> None:
    script = (
        "import signal, sys; "
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [signal.{blocked}]); "
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert is_idle(process.pid) is idle
        process.send_signal(signal.SIGKILL)


def _titled_children(parent: int, title: str) -> list[int]:
    def named(pid: int) -> bool:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(title.encode())

    return [pid for pid in children_of(parent) if named(pid)]
