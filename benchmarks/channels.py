"""How fast bytes go through one session, each way, with the cipher that stock clients choose."""

import subprocess
from pathlib import Path

from benchmarks.client import Client
from benchmarks.measure import Figure, interleaved, timed
from benchmarks.ours import Ours
from benchmarks.sshd import Sshd

MEBIBYTES = 400


def measure(ours: Ours, rival: Sshd, root: Path, runs: int) -> list[Figure]:
    """A file of random bytes from a client's disk cache to nowhere, and back."""
    payload = root / "payload"
    with Path("/dev/urandom").open("rb") as noise, payload.open("wb") as file:
        for _ in range(MEBIBYTES):
            file.write(noise.read(1024**2))
    found = interleaved(
        {
            "sshd up": lambda: _upload(rival.client, "cat >/dev/null", payload),
            "ours up": lambda: _upload(ours.client, "sink", payload),
            "sshd down": lambda: _download(rival.client, f"cat {payload}"),
            "ours down": lambda: _download(ours.client, f"pour {payload}"),
        },
        runs,
    )
    payload.unlink()
    up, down = f"upload of {MEBIBYTES} MiB: ", f"download of {MEBIBYTES} MiB: "
    return [
        Figure(f"{up}sshd", "MB/s", found["sshd up"]),
        Figure(f"{up}ours", "MB/s", found["ours up"], f"{up}sshd", ">= 1.2"),
        Figure(f"{down}sshd", "MB/s", found["sshd down"]),
        Figure(f"{down}ours", "MB/s", found["ours down"], f"{down}sshd", ">= 0.9"),
    ]


def _upload(client: Client, command: str, payload: Path) -> float:
    with payload.open("rb") as file:
        words = client.words(command)
        seconds = timed(lambda: subprocess.run(words, stdin=file, check=True))
    return _megabytes_a_second(seconds)


def _download(client: Client, command: str) -> float:
    words = client.words(command)
    seconds = timed(
        lambda: subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True
        )
    )
    return _megabytes_a_second(seconds)


def _megabytes_a_second(seconds: float) -> float:
    return MEBIBYTES * 1024**2 / 1e6 / seconds
