"""What /proc says of a process and of those below it: their CPU and their memory."""

import os
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_MEBIBYTE = 1024**2


def cpu_seconds(pid: int) -> float:
    """Of the process itself and of all children that it has waited for."""
    return own_seconds(pid) + children_seconds(pid)


def own_seconds(pid: int) -> float:
    """Of the process itself, all its threads."""
    return sum(int(ticks) for ticks in _stat(pid)[11:13]) / _TICKS_A_SECOND


def children_seconds(pid: int) -> float:
    """Of all children that it has waited for, and of theirs."""
    return sum(int(ticks) for ticks in _stat(pid)[13:15]) / _TICKS_A_SECOND


def resident_mb(pid: int) -> float:
    return _status_kb(pid, "VmRSS") / 1024


def peak_mb(pid: int) -> float:
    """The most that was ever resident since ``forget_peak``."""
    return _status_kb(pid, "VmHWM") / 1024


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def proportional_mb(pid: int) -> float:
    """PSS of the process and of everything below it: shared pages are counted once in all."""
    return sum(_pss_bytes(member) for member in family(pid)) / _MEBIBYTE


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
            except OSError:
                continue  # ended meanwhile
    found, waiting = [], [pid]
    while waiting:
        member = waiting.pop()
        found.append(member)
        waiting += [child for child, parent in parents.items() if parent == member]
    return found


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) from the third on; the second may contain anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _status_kb(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def _pss_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
