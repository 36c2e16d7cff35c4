"""Finds the processes that listen on a TCP port, from proc_net(5) and proc_pid_fd(5)."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)

_LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Listener:
    """``command`` is its command line with spaces between the words; ``directory`` its own."""

    pid: int
    command: str
    directory: str


def listening(port: int) -> bool:
    """Tell whether any process listens on the port, on any address of the machine."""
    return bool(_inodes(port))


def owners(port: int) -> list[Listener]:
    """Return the processes that hold the port; others' are seen by root only."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    return [_listener(pid) for pid in _pids() if wanted & _sockets(pid)]


def inodes_of(table: str, port: int) -> set[str]:
    """Return the sockets listening on ``port`` in a text of /proc/net/tcp or tcp6."""
    found = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
            found.add(fields[9])
    return found


def _inodes(port: int) -> set[str]:
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    return {
        inode for path in tables if path.exists() for inode in inodes_of(path.read_text(), port)
    }


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())


def _sockets(pid: int) -> set[str]:
    """What its file descriptors point at; nothing for a process that is gone or not ours to see."""
    found = set()
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            found.add(str(descriptor.readlink()))
    except OSError:
        return found
    return found


def _listener(pid: int) -> Listener:
    """What cannot be read of a process that is ending stays empty."""
    place, command, directory = Path(f"/proc/{pid}"), b"", ""
    try:
        command = (place / "cmdline").read_bytes()
        directory = str((place / "cwd").readlink())
    except OSError as error:
        _log.debug("process %d cannot be read: %s", pid, error)
    return Listener(pid, command.replace(b"\0", b" ").decode(errors="replace").strip(), directory)
