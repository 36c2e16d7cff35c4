"""Processor seconds, which a busy machine changes less than it changes the time on the clock."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Figure
from benchmarks.processes import children_seconds, own_seconds

_DAEMONS = frozenset({"dockerd", "containerd"})
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of a processor. ``machine`` is of everything but the benchmark's own process."""

    server: float
    children: float
    daemons: float
    machine: float

    def since(self, before: "Spent") -> "Spent":
        return Spent(
            self.server - before.server,
            self.children - before.children,
            self.daemons - before.daemons,
            self.machine - before.machine,
        )


@dataclass
class Accounts:
    """What each of several actions has spent, run by run, beside the server ``server_pid``."""

    server_pid: int
    spent: dict[str, list[Spent]] = field(default_factory=dict)

    def during(self, name: str, action: Callable[[], float]) -> float:
        """What ``action`` returns; what was spent until it returned is noted under ``name``."""
        before = self._now()
        result = action()
        self.spent.setdefault(name, []).append(self._now().since(before))
        return result

    def figures(self, name: str, ours: str, floor: str, runs: int) -> Sequence[Figure]:
        """Rows for the last ``runs`` runs: ``ours`` beside ``floor``, then the parts of ours."""
        mine, other = self.spent[ours][-runs:], self.spent[floor][-runs:]
        reference = f"{name}: processor, bare docker"
        part = f"{name}: processor, {ours}: of that"
        return [
            Figure(reference, runs=[each.machine for each in other]),
            Figure(
                f"{name}: processor, {ours}",
                runs=[each.machine for each in mine],
                reference=reference,
            ),
            Figure(f"{part} the server", runs=[each.server for each in mine]),
            Figure(f"{part} its children", runs=[each.children for each in mine]),
            Figure(f"{part} dockerd, containerd", runs=[each.daemons for each in mine]),
            Figure(
                f"{name}: processor, bare docker: of that dockerd, containerd",
                runs=[each.daemons for each in other],
            ),
        ]

    def _now(self) -> Spent:
        return Spent(
            own_seconds(self.server_pid),
            children_seconds(self.server_pid),
            sum(own_seconds(pid) for pid in daemons()),
            _machine_seconds() - own_seconds(os.getpid()),
        )


def daemons() -> Sequence[int]:
    """The processes of the Docker engine on this machine; none where it runs elsewhere."""
    found = []
    for entry in _PROC.iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and (entry / "comm").read_text().strip() in _DAEMONS:
                found.append(int(entry.name))
    return found


@contextmanager
def one_core() -> Iterator[None]:
    """While inside, this process, what it starts, and the engine share one core with each other.

    Where the engine cannot be pinned ``PermissionError`` says so. Containers keep the core of the
    engine on Linux 6.2 and newer; an older kernel gives them all cores that their group has.
    """
    former = {pid: os.sched_getaffinity(pid) for pid in [0, *daemons()]}
    try:
        for pid in former:
            _pin(pid, {min(former[0])})
        yield
    finally:
        for pid, cores in former.items():
            with suppress(ProcessLookupError):
                _pin(pid, cores)


def _pin(pid: int, cores: set[int]) -> None:
    """All threads of a process; those that they start later inherit it."""
    tasks = _PROC / (str(pid) if pid else "self") / "task"
    for task in tasks.iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


def _machine_seconds() -> float:
    """Of all cores, but for the time that they were idle or waited for a device (proc_stat(5))."""
    user, nice, system, _idle, _iowait, irq, softirq = map(
        int, (_PROC / "stat").read_text().split("\n")[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) / _TICKS_A_SECOND
