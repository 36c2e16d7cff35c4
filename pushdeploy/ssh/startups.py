"""Connections that have not logged in yet are limited in number and in time."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

_YIELD_SECONDS = 2.0
"""Who has been standing there for this long makes room when the place is full."""

_REPORT_SECONDS = 10.0
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Startup:
    """A startup is a connection without a login yet; ``evict`` ends it and must not block."""

    host: str
    since: float
    evict: Callable[[], None]


class Startups:
    """``Startups`` admit connections, and evict those that do not log in within ``grace_seconds``.

    When it is full, the oldest one makes room if it had time enough to log in: connections that
    say nothing cannot keep others out.
    """

    def __init__(self, grace_seconds: float, most: int, most_per_host: int) -> None:
        self._grace_seconds = grace_seconds
        self._most = most
        self._most_per_host = most_per_host
        self._startups: dict[Startup, None] = {}
        self._by_host: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._stopped = False
        self._refused = 0
        self._reported_at = 0.0
        self._reaper = threading.Thread(target=self._reap, name="ssh startups", daemon=True)

    def start(self) -> None:
        self._reaper.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._reaper.join()

    def enter(self, address: str, evict: Callable[[], None]) -> Startup | None:
        """Return a startup to be given to ``leave``, or None when there is no room."""
        host = _counted_as(address)
        with self._changed:
            if not self._make_room(host):
                self._report(host)
                return None
            startup = Startup(host, time.monotonic(), evict)
            self._startups[startup] = None
            self._by_host[host] += 1
            self._changed.notify_all()
            return startup

    def leave(self, startup: Startup) -> None:
        """Forget a connection that has logged in or has gone; a second time does nothing."""
        with self._changed:
            self._remove(startup)

    def __len__(self) -> int:
        return len(self._startups)

    def _make_room(self, host: str) -> bool:
        if self._by_host[host] >= self._most_per_host:
            return self._replace(startup for startup in self._startups if startup.host == host)
        if len(self._startups) >= self._most:
            return self._replace(iter(self._startups))
        return True

    def _replace(self, oldest_first: Iterator[Startup]) -> bool:
        oldest = next(oldest_first)
        if time.monotonic() - oldest.since < _YIELD_SECONDS:
            return False
        self._remove(oldest)
        oldest.evict()
        return True

    def _remove(self, startup: Startup) -> None:
        if startup not in self._startups:
            return
        del self._startups[startup]
        self._by_host[startup.host] -= 1
        if not self._by_host[startup.host]:
            del self._by_host[startup.host]

    def _report(self, host: str) -> None:
        """A line every ten seconds at the most: a flood must not fill the log either."""
        self._refused += 1
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_SECONDS:
            _log.warning("ssh connections refused count=%d last_from=%s", self._refused, host)
            self._refused, self._reported_at = 0, now

    def _reap(self) -> None:
        with self._changed:
            while not self._stopped:
                self._changed.wait(self._evict_late())

    def _evict_late(self) -> float | None:
        """Seconds until the next one is late, None when nobody waits."""
        now = time.monotonic()
        while self._startups:
            oldest = next(iter(self._startups))
            left = oldest.since + self._grace_seconds - now
            if left > 0:
                return left
            self._remove(oldest)
            oldest.evict()
            _log.info("ssh login took too long from=%s", oldest.host)
        return None


def _counted_as(address: str) -> str:
    """An IPv6 client owns a /64 of addresses and counts as one host."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))
