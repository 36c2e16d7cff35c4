"""Time that requests are held while an app with one writer is swapped, and requests lost then."""

import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deploys import set_page, set_version
from benchmarks.measure import Figure, interleaved, progress
from tests.stories.harness import APPS, Repository, Server
from tests.stories.means import run_checked
from tests.stories.tally import Clients, Tally

CUT_OVERS = 10
QUICK_CUT_OVERS = 3
CLIENTS = 200
AIM_SECONDS = 0.7
DEADLINE_SECONDS = 60
PROBE_PAUSE_SECONDS = 0.005


def measure(server: Server, runs: int, *, quick: bool = False) -> list[Figure]:
    """A trivial app; without ``quick`` Django too; then cut-overs under two hundred writers."""
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    try:
        figures = _compare("tally", _pushed(server, root, "tally", set_version, "/"), runs)
        if not quick:
            notes = _pushed(server, root, "notes", set_page, "/")
            figures += _compare("notes (Django, migrate)", notes, runs)
        return figures + _lost(server, root, QUICK_CUT_OVERS if quick else CUT_OVERS)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@dataclass
class Swapped:
    """An app with a disk that is live, and how to change it."""

    repository: Repository
    change: Callable[[Path, str], None]
    path: str
    floor: Path
    turn: int = 0

    @property
    def server(self) -> Server:
        return self.repository.server

    def held(self) -> float:
        """Of one push: the longest time without an answer."""
        self.turn += 1
        self.change(self.repository.path, f"turn-{self.turn}")
        self.repository.commit()
        with _probed(self.server, self.repository.app, self.path) as gaps:
            self.repository.push(check=True)
        return max(gaps)

    def bare(self) -> float:
        """Stop, migrate and boot the same image on a disk of its own, by bare Docker calls."""
        image = _docker("inspect", "-f", "{{.Image}}", self._task())
        procfile = (self.repository.path / "Procfile").read_text()
        commands = dict(line.split(": ", 1) for line in procfile.splitlines() if ": " in line)
        options = ["--init", "-e", "PORT=5000", "-e", "WEB_CONCURRENCY=2", "-e", "DISK_PATH=/data"]
        options += ["-v", f"{self.floor}:/data", "--memory", "512m"]
        web = ["run", "-d", *options, image, "sh", "-c", commands["web"]]
        release = ["run", "--rm", *options, image, "sh", "-c", commands["release"]]
        _docker(*release)
        old = _started(web)
        began = time.perf_counter()
        _docker("stop", old)
        _docker(*release)
        new = _started(web)
        seconds = time.perf_counter() - began
        _docker("rm", "-f", old, new)
        return seconds

    def _task(self) -> str:
        labels = f"pushdeploy.app={self.repository.app}", "pushdeploy.role=task"
        return self.server.containers(*labels)[0]


def _pushed(
    server: Server, root: Path, app: str, change: Callable[[Path, str], None], path: str
) -> Swapped:
    repository = Repository.create(server, APPS / app, root / app, app)
    server.ssh(f"apps:create {app}", check=True)
    server.ssh(f"disks:attach {app} data /data", check=True)
    repository.push(check=True)
    floor = root / f"{app}-disk"
    floor.mkdir()
    floor.chmod(0o777)
    return Swapped(repository, change, path, floor)


def _compare(name: str, app: Swapped, runs: int) -> list[Figure]:
    steps: list[dict[str, float]] = []

    def held() -> float:
        longest = app.held()
        steps.append(_steps(app.server, app.repository.app))
        return longest

    found = interleaved({f"{name}: bare docker": app.bare, f"{name}: held": held}, runs)
    bare, seen = found[f"{name}: bare docker"], found[f"{name}: held"]
    for step in steps[-1]:
        seconds = statistics.median(each.get(step, 0.0) for each in steps[-runs:])
        progress(f"{name}: {step}: {seconds:.3f} s")
    more = [waited - floor for waited, floor in zip(seen, bare, strict=True)]
    said = [each["Requests held"] for each in steps[-runs:]]
    return [
        Figure(f"{name}: bare docker stop, migrate, boot", runs=bare),
        Figure(f"{name}: a visitor waits", runs=seen),
        Figure(f"{name}: more than bare docker", runs=more, aim=f"<= {AIM_SECONDS}"),
        Figure(f"{name}: held, as the server says", runs=said),
    ]


def _lost(server: Server, root: Path, cut_overs: int) -> list[Figure]:
    tally = Tally.live(server, root / "crowded", "crowded")
    held = []
    with Clients(tally, CLIENTS) as clients:
        for turn in range(cut_overs):
            tally.change()
            tally.repository.push(check=True)
            held.append(_steps(server, tally.app)["Requests held"])
            progress(f"cut-over {turn + 1}: {len(clients.lost)} lost, held {held[-1]:.3f} s")
    kept = sorted(tally.notes) == sorted(clients.acknowledged)
    for said in sorted(set(clients.lost))[:10]:
        progress(f"lost: {said}")
    return [
        Figure("requests of 200 writers", "", [float(len(clients.acknowledged))]),
        Figure("requests lost", "", [float(len(clients.lost))], aim="0"),
        Figure("databases that are not as acknowledged", "", [float(not kept)], aim="0"),
        Figure("held under 200 writers, as the server says", runs=held),
    ]


@contextmanager
def _probed(server: Server, app: str, path: str) -> Iterator[list[float]]:
    """Ask again and again while inside: the seconds from each answer to the next."""
    gaps: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        last = time.perf_counter()
        while not stop.wait(PROBE_PAUSE_SECONDS):
            answer = server.get(app, path)
            assert answer.status < 500, answer
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    prober = threading.Thread(target=ask)
    prober.start()
    try:
        yield gaps
    finally:
        stop.set()
        prober.join()


def _steps(server: Server, app: str) -> dict[str, float]:
    """How long those of the last release took."""
    steps = server.record(f"releases:info {app}")["steps"]
    assert isinstance(steps, list)
    return {_same(str(step["name"])): float(step["seconds"]) for step in steps}


def _same(step: str) -> str:
    """The name of a step in every release: ``Stopping web.1``, without its version."""
    return step.partition(" of v")[0]


def _started(web: list[str]) -> str:
    """The container's id, when it answers."""
    container = _docker(*web)
    address = _docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", container)
    ask = f"until curl -so /dev/null http://{address}:5000/; do sleep 0.01; done"
    subprocess.run(["bash", "-c", ask], check=True, timeout=DEADLINE_SECONDS)
    return container


def _docker(*words: str) -> str:
    return run_checked(["docker", *words], cwd=Path("/")).stdout.strip()
