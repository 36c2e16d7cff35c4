"""The server's own memory: at rest, and after fifty deploys."""

import shutil
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, progress
from tests.stories.harness import APPS, Repository, Server

DEPLOYS = 50


def measure(server: Server, runs: int) -> list[Figure]:
    """Resident megabytes of the one process, from /proc."""
    del runs
    at_rest = _resident(server.pid)
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    repository = Repository.create(server, APPS / "hello", root / "memory", "memory")
    for turn in range(DEPLOYS):
        repository.write("VERSION", f"{turn}\n")
        repository.commit()
        repository.push(check=True)
        if turn % 10 == 9:
            progress(f"{turn + 1} deploys: {_resident(server.pid):.0f} MB")
    shutil.rmtree(root, ignore_errors=True)
    return [
        Figure("memory before", "MB", [at_rest], aim="< 150"),
        Figure(f"memory after {DEPLOYS} deploys", "MB", [_resident(server.pid)], aim="< 150"),
    ]


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
