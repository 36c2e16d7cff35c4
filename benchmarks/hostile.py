"""What strangers and malicious pushers cost: time until they are gone, memory, others' speed."""

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Figure, progress, timed
from benchmarks.ours import Ours
from benchmarks.processes import forget_peak, peak_mb, resident_mb
from tests.stories.means import wait_until
from tests.unit.receive.wire import OFS_DELTA, ZERO, commands, copies, entry, offset, pack

_CHECKOUT = Path(__file__).resolve().parent.parent
_MEBIBYTE = 1024**2
_SETTLED_SECONDS = 30


def measure(ours: Ours, runs: int) -> list[Figure]:
    """``runs`` of the bombs; the strangers come once."""
    return [
        *_bomb(ours, "delta bomb of 11 KB for 4 GiB", _one_delta(), runs),
        *_bomb(ours, "delta bomb of 9 KB for 8 times 1 GiB", _many_deltas(), runs),
        *_strangers(ours),
    ]


def _bomb(ours: Ours, name: str, bomb: bytes, runs: int) -> list[Figure]:
    """From the start of ssh to its end, with the refusal."""
    forget_peak(ours.pid)
    before = resident_mb(ours.pid)
    seconds = [timed(lambda: _push(ours, bomb)) for _ in range(runs)]
    memory = max(0.0, peak_mb(ours.pid) - before)
    return [
        Figure(f"{name}: refused", "s", seconds, aim="<= 1"),
        Figure(f"{name}: more of our memory", "MB", [memory], aim="<= 50"),
    ]


def _push(ours: Ours, bomb: bytes) -> None:
    said = subprocess.run(
        ours.client.words("git-receive-pack 'bomb'"), input=bomb, capture_output=True, check=False
    )
    assert said.returncode == 1, f"the bomb was taken: {said!r}"
    assert b"emory" in said.stdout, f"the bomb was refused for another reason: {said!r}"
    assert not ours.repository("bomb").exists(), "the bomb left a repository"


def _one_delta() -> bytes:
    first = entry("blob", bytes(_MEBIBYTE))
    return _with_head(
        pack(first, entry(OFS_DELTA, copies(_MEBIBYTE, 4095), before=offset(len(first))))
    )


def _many_deltas() -> bytes:
    entries = [entry("blob", bytes(_MEBIBYTE))]
    for _ in range(8):
        distance = sum(len(data) for data in entries)
        entries.append(entry(OFS_DELTA, copies(_MEBIBYTE, 1024), before=offset(distance)))
    return _with_head(pack(*entries))


def _with_head(data: bytes) -> bytes:
    return commands((ZERO, "a" * 40, "refs/heads/main")) + data


def _strangers(ours: Ours) -> list[Figure]:
    """Commands before, during and after the attack."""
    port = ours.address.rpartition(":")[2]
    idle = _commands(ours, 12)
    forget_peak(ours.pid)
    before = resident_mb(ours.pid)
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.attackers", port], cwd=_CHECKOUT, stdout=subprocess.PIPE
    ) as attackers:
        assert attackers.stdout is not None
        _wait_for_them(int(port))
        meanwhile = _commands(ours, 25)
        progress(f"the median of commands under attack: {sorted(meanwhile)[12]:.3f}")
        standing = json.loads(attackers.stdout.read())
    memory = peak_mb(ours.pid) - before
    for name, seconds in standing.items():
        progress(f"{name}: {seconds:.1f} s")
    idle += _commands(ours, 13)
    return [
        Figure("longest stay of 200 strangers", "s", [max(standing.values())], aim="<= 25"),
        Figure("more of our memory meanwhile", "MB", [memory], aim="<= 20"),
        Figure("command without strangers", "s", idle),
        Figure("command among strangers", "s", meanwhile, "command without strangers", "<= 2"),
    ]


def _commands(ours: Ours, number: int) -> list[float]:
    return [timed(lambda: ours.client.run("true")) for _ in range(number)]


def _wait_for_them(port: int) -> None:
    """Most of them are there: the rest has been sent away at once."""
    there = f":{port:04X} 0200007F:"
    wait_until(
        lambda: Path("/proc/net/tcp").read_text().count(there) > 100,
        _SETTLED_SECONDS,
        lambda: "the strangers do not come",
    )
    time.sleep(0.1)
