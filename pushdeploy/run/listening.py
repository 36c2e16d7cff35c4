"""Where the processes of a container listen, to tell somebody who listens in the wrong place."""

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from pushdeploy.domain.container import ContainerInfo

_LISTEN = "0A"
_LOCAL = "/proc/{pid}/net/{name}"
_DOCKERS_RESOLVER = "127.0.0.11"

Socket = tuple[str, int]
"""An address and a port."""


def listening(info: ContainerInfo, port: int) -> str:
    """``port 8000, not on 5000``; ``127.0.0.1 only``; empty when nobody listens or can tell.

    Read from the kernel's view of the container's own network. The engine may run on another
    machine, whose process ids mean nothing here: so its address must be found there first.
    """
    try:
        if not info.pid or not info.address or info.address not in _read(info.pid, "fib_trie"):
            return ""
        tables = [_read(info.pid, name) for name in ("tcp", "tcp6")]
    except OSError:
        return ""
    return told([each for table in tables for each in sockets(table)], port)


def told(found: Sequence[Socket], port: int) -> str:
    """The sentence about them; empty when one of them is right, or there is none."""
    others = [(address, number) for address, number in found if address != _DOCKERS_RESOLVER]
    on_port = [address for address, number in others if number == port]
    if any(not ipaddress.ip_address(address).is_loopback for address in on_port):
        return ""
    if on_port:
        return f"{on_port[0]} only"
    ports = sorted({number for _, number in others})
    if not ports:
        return ""
    named = ", ".join(str(number) for number in ports[:3])
    return f"port {named}, not on {port}"


def sockets(table: str) -> Iterator[Socket]:
    """Those that listen in a table of proc_net_tcp(5): addresses are words in the host's order."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 3 and fields[3] == _LISTEN:
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
