"""Requests lost in ten switches, under keep-alive clients and slow requests in flight."""

import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Figure, progress
from tests.stories.harness import APPS, Repository, Server
from tests.stories.traffic import loaded

SWITCHES = 10
QUICK_SWITCHES = 3


def measure(server: Server, runs: int, *, quick: bool = False) -> list[Figure]:
    """Ten switches, or three that are ``quick``."""
    del runs
    switches = QUICK_SWITCHES if quick else SWITCHES
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    repository = Repository.create(server, APPS / "hello", root / "switch", "switch")
    repository.push(check=True)
    seconds = []
    with loaded(server, "switch") as load:
        for turn in range(switches):
            repository.write("VERSION", f"switch {turn}\n")
            repository.commit()
            started = time.perf_counter()
            repository.push(check=True)
            seconds.append(time.perf_counter() - started)
            progress(f"switch {turn + 1}: {load.sent} requests, {len(load.lost)} lost")
    shutil.rmtree(root, ignore_errors=True)
    for said in sorted(set(load.lost)):
        progress(f"lost: {said}")
    return [
        Figure("requests sent", "", [float(load.sent)]),
        Figure("requests lost", "", [float(len(load.lost))], aim="0"),
        Figure("git push under load, whole", "s", seconds),
    ]
