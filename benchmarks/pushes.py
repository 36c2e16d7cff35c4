"""git push, from its start to its end, against sshd with git receive-pack."""

import subprocess
from itertools import count
from pathlib import Path

from benchmarks.histories import LARGE, SMALL, TINY, History
from benchmarks.measure import Figure, interleaved, progress, timed
from benchmarks.ours import Ours
from benchmarks.processes import forget_peak, peak_mb
from benchmarks.sshd import Sshd
from tests.stories.means import run

CONCURRENT = 10
LARGE_RUNS = 3
"""Each takes half a minute."""

PUSH_SECONDS = 600
_MAIN = "main:refs/heads/main"


def measure(ours: Ours, rival: Sshd, root: Path, runs: int, *, quick: bool) -> list[Figure]:
    """``root`` is a directory for the histories."""
    pushes = Pushes(ours, rival)
    tiny = History.create(root / "tiny", TINY)
    small = History.create(root / "small", SMALL)
    return [
        *pushes.first("git push, one commit", tiny, 2 * runs, "<= 0.9"),
        *([] if quick else pushes.large(root / "large", runs)),
        *pushes.first("git push, 26,000 objects", small, runs, "<= 0.9"),
        *pushes.concurrent(f"{CONCURRENT} such pushes at once", small, runs, "<= 1.15"),
    ]


class Pushes:
    """Both sides, and names for repositories that nobody has used."""

    def __init__(self, ours: Ours, rival: Sshd) -> None:
        self._ours = ours
        self._rival = rival
        self._numbers = count(1)

    def first(self, name: str, history: History, runs: int, aim: str) -> list[Figure]:
        """Into a repository that is empty with them, and not there with us."""
        found = interleaved(
            {
                "sshd": lambda: self._first(self._rival, history),
                "ours": lambda: self._first(self._ours, history),
            },
            runs,
            warm_up=0 if runs <= LARGE_RUNS else 1,
        )
        return _compared(name, found, aim)

    def concurrent(self, name: str, history: History, runs: int, aim: str) -> list[Figure]:
        forget_peak(self._ours.pid)
        found = interleaved(
            {
                "sshd": lambda: self._at_once(self._rival, history),
                "ours": lambda: self._at_once(self._ours, history),
            },
            runs,
            warm_up=0,
        )
        memory = peak_mb(self._ours.pid)
        return [*_compared(name, found, aim), Figure(f"{name}: our memory", "MB", [memory])]

    def large(self, path: Path, runs: int) -> list[Figure]:
        """The memory is that of our process alone; git's children map the pack."""
        progress("making the large history")
        history = History.create(path, LARGE)
        name = "git push, 430,000 objects"
        forget_peak(self._ours.pid)
        figures = self.first(name, history, min(runs, LARGE_RUNS), "<= 1.1")
        memory = Figure(f"{name}: our memory", "MB", [peak_mb(self._ours.pid)], aim="<= 100")
        return [*figures, memory, *self._onto(history, runs)]

    def _onto(self, history: History, runs: int) -> list[Figure]:
        urls = {side: side.new_repository("onto") for side in (self._ours, self._rival)}
        for side, url in urls.items():
            _push(side, history, url)

        def one_more() -> float:
            """The same commit goes to the one and then to the other."""
            history.add_commit(f"change {next(self._numbers)}\n")
            return _push(self._rival, history, urls[self._rival])

        found = interleaved(
            {"sshd": one_more, "ours": lambda: _push(self._ours, history, urls[self._ours])}, runs
        )
        for side in urls:
            side.remove_repository("onto")
        return _compared("git push, one commit onto those", found, "<= 0.75")

    def _first(self, side: Ours | Sshd, history: History) -> float:
        name = f"push-{next(self._numbers)}"
        url = side.new_repository(name)
        seconds = _push(side, history, url)
        side.remove_repository(name)
        return seconds

    def _at_once(self, side: Ours | Sshd, history: History) -> float:
        names = [f"push-{next(self._numbers)}" for _ in range(CONCURRENT)]
        urls = [side.new_repository(name) for name in names]
        seconds = timed(lambda: _push_to_all(side, history, urls))
        for name in names:
            side.remove_repository(name)
        return seconds


def _push(side: Ours | Sshd, history: History, url: str) -> float:
    """``AssertionError`` with what git said when it is refused."""
    words = ["git", "-C", str(history.path), "push", url, _MAIN]
    environment = side.client.git_environment()
    return timed(
        lambda: run(
            words, cwd=history.path, check=True, timeout=PUSH_SECONDS, environment=environment
        )
    )


def _push_to_all(side: Ours | Sshd, history: History, urls: list[str]) -> None:
    environment = side.client.git_environment()
    pushes = [
        subprocess.Popen(
            ["git", "-C", str(history.path), "push", "--quiet", url, _MAIN],
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for url in urls
    ]
    for push in pushes:
        _, said = push.communicate(timeout=PUSH_SECONDS)
        assert push.returncode == 0, f"git push failed:\n{said.decode(errors='replace')}"


def _compared(name: str, found: dict[str, list[float]], aim: str) -> list[Figure]:
    return [
        Figure(f"{name}: sshd", runs=found["sshd"]),
        Figure(f"{name}: ours", "s", found["ours"], f"{name}: sshd", aim),
    ]
