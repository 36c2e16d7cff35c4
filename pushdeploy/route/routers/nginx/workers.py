"""Linux tells in /proc which nginx processes are ours and what they do, without asking nginx.

Our nginx works in its own directory, so a process belongs to it when that is where it works.
"""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_OURS = "nginx: "
_MASTER = "nginx: master process"
_WORKER = "nginx: worker process"
_LEAVING = "nginx: worker process is shutting down"


@dataclass(frozen=True, slots=True)
class Worker:
    """``leaving``: it takes no new connections and ends when its last one does."""

    pid: int
    leaving: bool


def is_master(pid: int, directory: Path) -> bool:
    """Tell whether ``pid`` is the master of the nginx that works in ``directory``."""
    return _works_in(pid, directory) and title(pid).startswith(_MASTER)


def master_in(directory: Path) -> int | None:
    """The master of the nginx that works in ``directory``, found among all processes."""
    found = {pid for pid in _pids() if is_master(pid, directory)}
    # A worker that has been forked a moment ago still bears its master's title.
    return next((pid for pid in found if _parent(pid) not in found), None)


def is_stopped(pid: int) -> bool:
    """Tell whether somebody has sent the process SIGSTOP."""
    return _stat(pid)[:1] == ["T"]


def children_of(master: int) -> frozenset[int]:
    """All processes of a master; those forked a moment ago still bear its title.

    The kernel's own list is read where it has one (proc(5), CONFIG_PROC_CHILDREN): a look at
    every process of a busy machine takes milliseconds, and a reload asks a dozen times.
    """
    try:
        listed = (_PROC / str(master) / "task" / str(master) / "children").read_text()
    except FileNotFoundError:
        return frozenset(pid for pid in _pids() if _parent(pid) == master)
    except OSError:  # it ended meanwhile
        return frozenset()
    return frozenset(map(int, listed.split()))


def is_idle(master: int) -> bool:
    """Tell whether a master has done what it was told and started all its workers.

    It blocks signals whenever it is at work, and lets them in only while it waits for one.
    """
    return not _blocked_signals(master) & 1 << signal.SIGHUP - 1


def workers_of(master: int) -> Sequence[Worker]:
    """The workers that are ready or leaving; one that is being started is not listed yet."""
    return [_worker(pid) for pid in children_of(master) if title(pid).startswith(_WORKER)]


def workers_in(directory: Path) -> Sequence[Worker]:
    """All workers in ``directory``, also those that a killed master left there."""
    workers = [_worker(pid) for pid in _pids() if title(pid).startswith(_WORKER)]
    return [worker for worker in workers if _works_in(worker.pid, directory)]


def is_worker(pid: int) -> bool:
    """Tell whether ``pid`` is still a worker; ended ones awaiting their parent do not count."""
    return title(pid).startswith(_WORKER)


def takes_connections(pid: int) -> bool:
    """Tell whether ``pid``, a master's child, has not been told to leave."""
    name = title(pid)
    return name.startswith(_OURS) and not name.startswith(_LEAVING)


def user_of(pid: int) -> int | None:
    """The number of the process's owner; None when it has ended."""
    try:
        return (_PROC / str(pid)).stat().st_uid
    except OSError:
        return None


def title(pid: int) -> str:
    """The name that the process gives itself; empty when it has ended."""
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return line.replace(b"\0", b" ").decode(errors="replace").strip()


def _worker(pid: int) -> Worker:
    return Worker(pid, title(pid).startswith(_LEAVING))


def _works_in(pid: int, directory: Path) -> bool:
    try:
        return (_PROC / str(pid) / "cwd").readlink() == directory.resolve()
    except OSError:
        return False


def _parent(pid: int) -> int:
    return int((_stat(pid)[1:2] or ["0"])[0])


def _stat(pid: int) -> Sequence[str]:
    """The fields of /proc/<pid>/stat after the second, which may hold anything (proc(5))."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return stat.rpartition(")")[2].split()


def _blocked_signals(pid: int) -> int:
    """A bit for each signal, the first for signal 1; none when the process has ended."""
    try:
        status = (_PROC / str(pid) / "status").read_text(errors="replace")
    except OSError:
        return 0
    return int(status.partition("SigBlk:")[2].split()[0], 16)


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())
