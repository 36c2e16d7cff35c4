"""What a connection costs: time, CPU and memory, one by one and two hundred at once."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.client import Client
from benchmarks.measure import Figure, interleaved, progress, timed
from benchmarks.ours import Ours
from benchmarks.processes import cpu_seconds, proportional_mb
from benchmarks.sshd import Sshd
from tests.stories.harness import Server

CROWD = 200
LOGIN_SECONDS = 90
IDLE_SECONDS = 10


def measure(server: Server, ours: Ours, rival: Sshd, runs: int) -> list[Figure]:
    """``server`` is the whole product; ``runs`` is for these cheap rows already."""
    product = Client(server.root / "ssh_config", "deploy")
    return [
        *_commands(product, ours, rival, runs),
        *_multiplexed(ours, rival, runs),
        *_crowd(server.pid, product, rival),
    ]


def _commands(product: Client, ours: Ours, rival: Sshd, runs: int) -> list[Figure]:
    before = {side: cpu_seconds(side.pid) for side in (ours, rival)}
    found = interleaved(
        {
            "sshd": lambda: timed(lambda: rival.client.run("true")),
            "ours": lambda: timed(lambda: ours.client.run("true")),
            "product": lambda: timed(lambda: product.run("version")),
        },
        runs,
    )
    cpu = {
        side: 1000 * (cpu_seconds(side.pid) - seconds) / (runs + 1)
        for side, seconds in before.items()
    }
    return [
        Figure("command: sshd, true", runs=found["sshd"]),
        Figure("command: ours, true", "s", found["ours"], "command: sshd, true", "<= 0.6"),
        Figure("command: ours, version", "s", found["product"], "command: sshd, true"),
        Figure("CPU of a connection: sshd", "ms", [cpu[rival]]),
        Figure("CPU of a connection: ours", "ms", [cpu[ours]], aim="<= 7"),
    ]


def _multiplexed(ours: Ours, rival: Sshd, runs: int) -> list[Figure]:
    with ours.client.through_master() as one, rival.client.through_master() as other:
        found = interleaved(
            {
                "sshd": lambda: timed(lambda: other.run("true")),
                "ours": lambda: timed(lambda: one.run("true")),
            },
            runs,
        )
    name = "command over ControlMaster"
    return [
        Figure(f"{name}: sshd", runs=found["sshd"]),
        Figure(f"{name}: ours", "s", found["ours"], f"{name}: sshd", "<= 1.1"),
    ]


def _crowd(pid: int, product: Client, rival: Sshd) -> list[Figure]:
    """All come at the same time and stay."""
    before = proportional_mb(pid)
    with _connected(product) as failures:
        memory = (proportional_mb(pid) - before) / CROWD
        started = cpu_seconds(pid)
        time.sleep(IDLE_SECONDS)
        idle = 100 * (cpu_seconds(pid) - started) / IDLE_SECONDS
    before = proportional_mb(rival.pid)
    with _connected(rival.client):
        memory_of_sshd = (proportional_mb(rival.pid) - before) / CROWD
    return [
        Figure(f"{CROWD} connections at once that failed", "", [float(failures)], aim="0"),
        Figure("memory of an idle connection: sshd", "MB", [memory_of_sshd]),
        Figure("memory of an idle connection: ours", "MB", [memory], aim="<= 0.25"),
        Figure(f"idle CPU with {CROWD} connections", "%", [idle], aim="<= 1"),
    ]


@contextmanager
def _connected(client: Client) -> Iterator[int]:
    """A crowd that has logged in: how many of it have not."""
    tell = ("-o", "PermitLocalCommand=yes", "-o", "LocalCommand=echo in")
    words = client.words("", *tell, "-N")[:-1]
    crowd = [
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for _ in range(CROWD)
    ]
    try:
        failures = sum(not _is_in(member) for member in crowd)
        progress(f"{CROWD - failures} of {CROWD} connections at {client.alias}")
        yield failures
    finally:
        for member in crowd:
            member.terminate()
        for member in crowd:
            member.communicate()


def _is_in(member: "subprocess.Popen[bytes]") -> bool:
    """ssh gives up by itself where a server does not answer: its output ends."""
    assert member.stdout is not None
    return member.stdout.readline() == b"in\n"
