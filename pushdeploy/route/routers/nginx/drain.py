"""The kernel's table of TCP connections tells when nobody talks to a task any more.

It needs nothing from the app and nothing from nginx, and one app's drain does not wait for
another app's websockets.
"""

import ipaddress
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.route import Target
from pushdeploy.route.deadline import until

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_OPEN_STATES = frozenset({"01", "02"})
"""ESTABLISHED and SYN_SENT; with the others one side has already said its last word."""


def connected_peers(lines: Iterable[str]) -> Iterator[Target]:
    """The far ends of the open connections in lines of /proc/net/tcp or tcp6 (proc(5))."""
    for line in lines:
        fields = line.split()
        if len(fields) > 3 and fields[3] in _OPEN_STATES:
            address, _, port = fields[2].partition(":")
            yield Target(_address(address), int(port, 16))


def open_connections(targets: Collection[Target]) -> int:
    """Count the connections that this machine has to ``targets``."""
    wanted = {Target(str(ipaddress.ip_address(t.address)), t.port) for t in targets}
    peers = (peer for table in _TABLES for peer in connected_peers(_lines(table)))
    return sum(peer in wanted for peer in peers)


def wait_until_empty(
    targets: Collection[Target],
    *,
    workers_gone: Callable[[], bool],
    quiet_at: float,
    drain_seconds: float,
    fallen: Cancellation | None = None,
) -> int:
    """Wait until nothing is connected to ``targets``: how many connections were still open.

    Zero at once when the old workers are gone. Else an empty table counts from ``quiet_at`` on
    (by the monotonic clock): before, an old worker may still get a request from an idle client.
    It ends at once when ``fallen`` is cancelled.
    """

    def empty() -> bool:
        if workers_gone() or (fallen is not None and fallen.cancelled):
            return True
        return time.monotonic() >= quiet_at and not open_connections(targets)

    if until(empty, drain_seconds, pause_seconds=0.02):
        return 0
    return open_connections(targets)


def _lines(table: Path) -> list[str]:
    try:
        return table.read_text().splitlines()[1:]
    except FileNotFoundError:  # a kernel without IPv6
        return []


def _address(digits: str) -> str:
    """Hexadecimal, in 32-bit words of the machine's own byte order; mapped IPv4 as IPv4."""
    words = [digits[start : start + 8] for start in range(0, len(digits), 8)]
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
