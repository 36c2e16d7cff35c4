"""Load by nghttp2's h2load, and what it wrote down of each request."""

import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

CLIENTS = 32
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Load:
    """``seconds`` of each request that was answered with 200; ``failed`` counts the others."""

    rate: float
    seconds: list[float]
    failed: int

    @property
    def slowest_percent(self) -> float:
        """The time within which 99 of 100 requests were answered, in milliseconds."""
        return statistics.quantiles(self.seconds, n=100)[98] * 1000


def load(url: str, port: int, requests: int, *, h2: bool, streams: int = 1) -> Load:
    """Ask for ``url``, whose host is on ``port`` of this machine, from 32 connections at once."""
    with tempfile.TemporaryDirectory(prefix="pushdeploy-h2load-") as root:
        log = Path(root) / "requests"
        words = ["h2load", "-n", str(requests), "-c", str(CLIENTS), "-m", str(streams)]
        words += [f"--connect-to=127.0.0.1:{port}", f"--log-file={log}"]
        words += [] if h2 else ["--h1"]
        subprocess.run([*words, url], check=True, capture_output=True, text=True)
        rows = [line.split("\t") for line in log.read_text().splitlines()]
    answered = [(int(start), int(took)) for start, status, took in rows if status == "200"]
    assert answered, f"nothing of {url} was answered"
    began = min(start for start, _ in answered)
    ended = max(start + took for start, took in answered)
    return Load(
        rate=len(answered) * _MICROSECONDS / (ended - began),
        seconds=[took / _MICROSECONDS for _, took in answered],
        failed=requests - len(answered),
    )
