"""The kernel tells where the processes of a container listen, which may be the wrong place."""

import os
import socket
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from pushdeploy.domain.container import ContainerInfo
from pushdeploy.run.misplaced import Sight, Socket, is_misplaced

_LISTEN = "0A"
_CALLING = ("01", "02")
"""Established, and SYN sent."""

_LOCAL = "/proc/{pid}/net/{name}"
_DOCKERS_RESOLVER = "127.0.0.11"


def listening(info: ContainerInfo, port: int) -> str:
    """``port 8000, not on 5000``; ``127.0.0.1 only``; empty when nobody listens or can tell."""
    found = sight(info)
    return told(found.places, port) if found else ""


def sight(info: ContainerInfo) -> Sight | None:
    """Return the kernel's view of the container's own network and of its processes; None where
    it is another machine's.

    The engine may run elsewhere, whose process ids mean nothing here: so the container's address
    must be found there first.
    """
    try:
        if not info.pid or not info.address or info.address not in _read(info.pid, "fib_trie"):
            return None
        tables = [_read(info.pid, name) for name in ("tcp", "tcp6")]
        worked = _worked_seconds(info.pid)
    except OSError:
        return None
    places = [each for table in tables for each in sockets(table)]
    ports = {port for _, port in places}
    return Sight(
        sorted(each for each in places if each[0] != _DOCKERS_RESOLVER),
        any(port not in ports for table in tables for _, port in sockets(table, _CALLING)),
        worked,
    )


def told(found: Sequence[Socket], port: int) -> str:
    """The sentence about them; empty when one of them is right, or there is none."""
    found = [each for each in found if each[0] != _DOCKERS_RESOLVER]
    if not is_misplaced(found, port):
        return ""
    on_port = [address for address, number in found if number == port]
    if on_port:
        return f"{on_port[0]} only"
    ports = sorted({number for _, number in found})
    named = ", ".join(str(number) for number in ports[:3])
    return f"port {named}, not on {port}"


def sockets(table: str, states: Collection[str] = (_LISTEN,)) -> Iterator[Socket]:
    """Yield sockets of a table of proc_net_tcp(5): addresses are words in the host's order."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 3 and fields[3] in states:
            address, _, number = fields[1].partition(":")
            yield _address(address), int(number, 16)


def _address(digits: str) -> str:
    words = [digits[at : at + 8] for at in range(0, len(digits), 8)]
    packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    text = socket.inet_ntop(family, packed)
    return text.removeprefix("::ffff:") if "." in text else text


def _read(pid: int, name: str) -> str:
    return Path(_LOCAL.format(pid=pid, name=name)).read_text(encoding="ascii")


def _worked_seconds(pid: int) -> float:
    """The processor time of a process and of all below it (proc_pid_stat(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0.0  # it has ended meanwhile
    of_line = fields.rpartition(")")[2].split()
    ticks = sum(map(int, of_line[11:15]))  # its own, and those of children that were waited for
    return ticks / os.sysconf("SC_CLK_TCK") + sum(_worked_seconds(int(each)) for each in children)
