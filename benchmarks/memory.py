"""The server's own memory: at rest, and after fifty deploys."""

import shutil
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, progress
from benchmarks.processes import resident_mb
from tests.stories.harness import APPS, Repository, Server

DEPLOYS = 50
QUICK_DEPLOYS = 10


def measure(server: Server, runs: int, *, quick: bool = False) -> list[Figure]:
    """Resident megabytes of the one process, from /proc; ``quick`` is content with ten."""
    del runs
    deploys = QUICK_DEPLOYS if quick else DEPLOYS
    at_rest = resident_mb(server.pid)
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    repository = Repository.create(server, APPS / "hello", root / "memory", "memory")
    for turn in range(deploys):
        repository.write("VERSION", f"{turn}\n")
        repository.commit()
        repository.push(check=True)
        if turn % 10 == 9:
            progress(f"{turn + 1} deploys: {resident_mb(server.pid):.0f} MB")
    shutil.rmtree(root, ignore_errors=True)
    return [
        Figure("memory before", "MB", [at_rest], aim="< 150"),
        Figure(f"memory after {deploys} deploys", "MB", [resident_mb(server.pid)], aim="< 150"),
    ]
