"""How soon a pusher reads what is said, and how soon all is over for one who gives up."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.client import Client
from benchmarks.histories import TINY, History
from benchmarks.measure import Figure, interleaved
from benchmarks.ours import Ours
from benchmarks.processes import family
from tests.stories.means import wait_until

_WRITTEN = re.compile(rb"written-at (\d+)")
_OVER_SECONDS = 30


def measure(ours: Ours, root: Path, runs: int) -> list[Figure]:
    history = History.create(root / "live", TINY)
    pusher = Pusher(ours, history)
    with ours.client.through_master() as master:
        found = interleaved(
            {
                "first line": pusher.first_line,
                "Ctrl-C": lambda: pusher.given_up(ours.client, _interrupt),
                "ssh killed": lambda: pusher.given_up(ours.client, _kill_ssh),
                "Ctrl-C over ControlMaster": lambda: pusher.given_up(master, _interrupt),
            },
            runs,
        )
    latencies = pusher.latencies()
    return [
        Figure("a line's way to the pusher", "ms", latencies, aim="<= 10"),
        Figure("the slowest line", "ms", [max(latencies)]),
        Figure("git push until its first line", "s", found.pop("first line"), aim="<= 0.25"),
        *(
            Figure(f"{name} until nothing is left", "s", seconds, aim="<= 2")
            for name, seconds in found.items()
        ),
    ]


class Pusher:
    """Pushes one commit to apps that nobody has used, and watches."""

    def __init__(self, ours: Ours, history: History) -> None:
        self._ours = ours
        self._history = history
        self._numbers = count(1)

    def latencies(self) -> list[float]:
        """Milliseconds, by the one clock of this machine."""
        push = self._push(self._ours.client, app := f"lines-{next(self._numbers)}")
        assert push.stderr is not None
        found = []
        for line in push.stderr:
            now = time.time_ns()
            if match := _WRITTEN.search(line):
                found.append((now - int(match[1])) / 1e6)
        assert push.wait() == 0, "the push failed"
        self._ours.remove_repository(app)
        return found

    def first_line(self) -> float:
        started = time.perf_counter()
        push = self._push(self._ours.client, app := f"tiny-{next(self._numbers)}")
        _read_until(push, b"remote: ")
        seconds = time.perf_counter() - started
        push.communicate()
        assert push.returncode == 0, "the push failed"
        self._ours.remove_repository(app)
        return seconds

    def given_up(self, client: Client, end: "Callable[[subprocess.Popen[bytes]], None]") -> float:
        """Until the waiting deploy has ended and everything of the push is gone, the app too."""
        push = self._push(client, app := f"waits-{next(self._numbers)}")
        _read_until(push, b"waiting")
        repository = self._ours.repository(app)
        assert repository.exists(), "nothing to be taken away"
        started = time.perf_counter()
        end(push)
        wait_until(
            lambda: not repository.exists(), _OVER_SECONDS, lambda: f"{app} is still being pushed"
        )
        seconds = time.perf_counter() - started
        push.communicate()
        assert push.returncode != 0, "git says that the push was accepted"
        return seconds

    def _push(self, client: Client, app: str) -> "subprocess.Popen[bytes]":
        """In a process group of its own, as a shell would start it."""
        return subprocess.Popen(
            ["git", "-C", str(self._history.path), "push", client.url(app), "main"],
            env=client.git_environment(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            process_group=0,
        )


def _read_until(push: "subprocess.Popen[bytes]", wanted: bytes) -> None:
    assert push.stderr is not None
    said = []
    for line in push.stderr:
        if wanted in line:
            return
        said.append(line.decode(errors="replace"))
    raise AssertionError(f"git push never said {wanted.decode()!r}:\n{''.join(said)}")


def _interrupt(push: "subprocess.Popen[bytes]") -> None:
    os.killpg(push.pid, signal.SIGINT)


def _kill_ssh(push: "subprocess.Popen[bytes]") -> None:
    for pid in family(push.pid):
        if Path(f"/proc/{pid}/comm").read_text() == "ssh\n":
            os.kill(pid, signal.SIGKILL)
