"""ssh and git: connections, channels, pushes, hostile clients, against OpenSSH and git."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import channels, connections, hostile, live, oneoffs, pushes
from benchmarks.measure import RUNS, Figure
from benchmarks.ours import Ours
from benchmarks.sshd import Sshd
from tests.stories.harness import Server
from tests.stories.means import run_checked

CHEAP_RUNS = 25
"""Of what takes a tenth of a second; fewer only for somebody who asks for less than usual."""


def measure(server: Server, runs: int, *, quick: bool = False) -> list[Figure]:
    """``quick`` leaves out the history of 430,000 objects."""
    many = max(runs, CHEAP_RUNS) if runs >= RUNS else runs
    with _both_sides() as (root, ours, rival):
        return [
            *connections.measure(server, ours, rival, many),
            *channels.measure(ours, rival, root, runs),
            *live.measure(ours, root, runs),
            *hostile.measure(ours, runs),
            *oneoffs.measure(server, root, runs),
            *pushes.measure(ours, rival, root, runs, quick=quick),
        ]


@contextmanager
def _both_sides() -> Iterator[tuple[Path, Ours, Sshd]]:
    """Ours without Docker behind it, the rival, and a directory for what is pushed."""
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    key = root / "key"
    run_checked(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], cwd=root)
    try:
        rival = Sshd.start(root / "sshd", key)
        try:
            ours = Ours.start(root / "ours", key)
            try:
                yield root, ours, rival
            finally:
                ours.stop()
        finally:
            rival.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)
