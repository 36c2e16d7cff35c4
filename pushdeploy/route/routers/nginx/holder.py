"""A holder is a process that keeps the requests of one app while no task may have them.

The router starts it by this file's path, with the standard library alone (``python -I -S``) and
with sockets that listen already, so nobody waits for its start. It goes on when the router's
process is killed; the next one finds it by its control socket. It works in nginx's directory and
reads nothing of a request: it waits, then joins the connection to one of a task, byte for byte.
A connection that has waited too long is joined to nginx's own page instead.

Memory: 21 MB alone (9 of them shared with other Pythons), 22 MB with 1,000 requests that wait,
32 MB while it relays them all; 16 KB more for each whose reader is slow.
"""

import asyncio
import json
import os
import resource
import select
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = "holders"
PAGE_SOCKET = "held.sock"
"""Both below the directory that nginx works in, as this process does."""

_AT_ONCE = 64
"""How many are at a task at once, of those that have waited, while it answers some of them."""

_STALL_SECONDS = 0.25
"""After which as many more are let go: those that are there may be websockets."""

_BATCH = 512
_CHUNK_BYTES = 16384
_CONNECT_SECONDS = 10
_REST_SECONDS = 0.1

Way = tuple[str, int]
"""A task's address and port."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A visitor waits until requests are let go, or shown the page when ``expiry`` comes."""

    visitor: socket.socket
    expiry: asyncio.TimerHandle


class Holder:
    """``ways`` is None while requests wait; without any way they are shown the page.

    Those that have waited are let go one after the other, oldest first: a small app that got a
    thousand at once would turn most of them away.
    """

    def __init__(self, app: str, requests: socket.socket, hold_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = Path(DIRECTORY, f"{app}.sock")
        self._control_path = Path(DIRECTORY, f"{app}.control")
        self._requests = requests
        self._hold_seconds = hold_seconds
        self._ways: Sequence[Way] | None = None
        self._turn = 0
        self._waiting: dict[int, Waiting] = {}
        self._relays: set[asyncio.Task[None]] = set()
        self._most = 0
        self._stall: asyncio.TimerHandle | None = None
        self._finishing = False
        self._departures = select.epoll()
        self._accepting = True
        self._since = time.time()
        self._stirred = self._loop.time()
        self.ended = asyncio.Event()
        requests.setblocking(False)
        self._loop.add_reader(requests, self._accept)
        self._loop.add_reader(self._departures.fileno(), self._forget_departed)

    # ------------------------------------------------------------- what it is told

    def tell(self, words: Sequence[str]) -> dict[str, object]:
        """Do what a line on the control socket says: how things are then."""
        self._stirred = self._loop.time()
        match words:
            case ["hold"]:
                self._hold()
            case ["pass", *ways]:
                self._pass([_way(text) for text in ways])
            case ["finish"]:
                self._finish()
            case ["end"]:
                self._close()
                self.ended.set()
        return {
            "pid": os.getpid(),
            "holding": self._ways is None,
            "since": self._since,
            "waiting": len(self._waiting),
            "relaying": len(self._relays),
        }

    def idle_seconds(self) -> float:
        """Tell how long nobody has come or said anything; 0 while anybody is here."""
        if self._waiting or self._relays:
            return 0
        return self._loop.time() - self._stirred

    def _hold(self) -> None:
        self._finishing = False
        if self._ways is not None:
            self._ways, self._since = None, time.time()

    def _pass(self, ways: Sequence[Way]) -> None:
        self._ways = ways
        self._forget_departed()
        self._let_go_more()

    def _finish(self) -> None:
        """No new ones. Those that still wait are let go first, or held again if that is wanted."""
        self._finishing = True
        self._end_when_empty()

    def _close(self) -> None:
        """First the name goes, so that whoever has connected is still accepted."""
        if self._accepting:
            self._path.unlink(missing_ok=True)
            self._control_path.unlink(missing_ok=True)
            for visitor in self._arrivals(sys.maxsize):
                self._welcome(visitor)
            self._accepting = False
            self._loop.remove_reader(self._requests)
            self._requests.close()

    # ------------------------------------------------------------- who waits

    def _accept(self) -> None:
        self._stirred = self._loop.time()
        for visitor in self._arrivals(_BATCH):
            self._welcome(visitor)

    def _arrivals(self, most: int) -> Iterator[socket.socket]:
        for _ in range(most):
            try:
                visitor, _ = self._requests.accept()
            except BlockingIOError:
                return
            except OSError:  # no more files: those that come wait in the kernel's queue
                self._rest()
                return
            visitor.setblocking(False)
            yield visitor

    def _rest(self) -> None:
        self._loop.remove_reader(self._requests)
        self._loop.call_later(_REST_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if self._accepting:
            self._loop.add_reader(self._requests, self._accept)

    def _welcome(self, visitor: socket.socket) -> None:
        """Behind those that wait, if there are any."""
        if self._ways is not None and not self._waiting:
            self._relay(visitor, self._ways)
            return
        number = visitor.fileno()
        # Nothing is asked for but what epoll always tells: that the other side has closed.
        self._departures.register(number, 0)
        expiry = self._loop.call_later(self._hold_seconds, self._expire, number)
        self._waiting[number] = Waiting(visitor, expiry)

    def _take(self, number: int) -> socket.socket:
        """Out of those that wait."""
        waiting = self._waiting.pop(number)
        waiting.expiry.cancel()
        self._departures.unregister(number)
        return waiting.visitor

    def _expire(self, number: int) -> None:
        self._relay(self._take(number), self._ways or ())

    def _forget_departed(self) -> None:
        while departed := self._departures.poll(0):
            for number, _ in departed:
                self._take(number).close()
        self._end_when_empty()

    def _end_when_empty(self) -> None:
        if self._finishing and not self._waiting:
            self._close()
        if not (self._accepting or self._waiting or self._relays):
            self.ended.set()

    # ------------------------------------------------------------- who is passed on

    def _let_go_more(self) -> None:
        """As many as may be at the tasks at once, beside those that are there already."""
        self._stall = None
        self._most = len(self._relays) + _AT_ONCE * max(1, len(self._ways or ()))
        self._let_go()

    def _let_go(self) -> None:
        """Who has waited longest, while there is a place."""
        ways = self._ways
        if ways is None:
            return
        while self._waiting and len(self._relays) < self._most:
            self._relay(self._take(next(iter(self._waiting))), ways)
        if self._waiting and self._stall is None:
            self._stall = self._loop.call_later(_STALL_SECONDS, self._let_go_more)

    def _relay(self, visitor: socket.socket, ways: Sequence[Way]) -> None:
        self._turn += 1
        first = self._turn % len(ways) if ways else 0
        relay = self._loop.create_task(_joined(visitor, [*ways[first:], *ways[:first]]))
        self._relays.add(relay)
        relay.add_done_callback(self._relayed)

    def _relayed(self, relay: asyncio.Task[None]) -> None:
        self._relays.discard(relay)
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self._let_go()
        self._end_when_empty()


async def _joined(visitor: socket.socket, ways: Sequence[Way]) -> None:
    """Relay between ``visitor`` and the first of ``ways`` that takes the connection, else the page.

    Returns when both have said their last word, or one of them is gone.
    """
    with visitor:
        target = await _connected(ways)
        if target is None:
            return
        with target, suppress(OSError):
            await _both(_pump(visitor, target, _has_gone), _pump(target, visitor))


async def _connected(ways: Sequence[Way]) -> socket.socket | None:
    loop = asyncio.get_running_loop()
    for address, port in ways:
        target = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        target.setblocking(False)
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.sock_connect(target, (address, port))
        except OSError:
            target.close()
        else:
            return target
    return await _page()


async def _page() -> socket.socket | None:
    """A connection to nginx's page; None when nginx itself has gone."""
    page = socket.socket(socket.AF_UNIX)
    page.setblocking(False)
    while True:
        try:
            page.connect(PAGE_SOCKET)
        except BlockingIOError:  # more of them than its queue takes at once: unix(7)
            await asyncio.sleep(_REST_SECONDS)
        except OSError:
            page.close()
            return None
        else:
            return page


async def _both(one: Awaitable[None], other: Awaitable[None]) -> None:
    """Until both are done; when one fails, so does the other."""
    tasks = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(
    source: socket.socket,
    sink: socket.socket,
    gone: Callable[[socket.socket], bool] | None = None,
) -> None:
    """Copy as fast as ``sink`` takes it, then the end; ``ConnectionError`` if ``gone`` by then."""
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, _CHUNK_BYTES):
        await loop.sock_sendall(sink, data)
    if gone is not None and gone(source):
        raise ConnectionAbortedError
    sink.shutdown(socket.SHUT_WR)


def _has_gone(visitor: socket.socket) -> bool:
    """Tell whether a unix socket's other side is closed, not just done with writing."""
    asked = select.poll()
    asked.register(visitor, 0)
    return bool(asked.poll(0))


def _way(text: str) -> Way:
    """``10.0.0.2:5000`` or ``[fd00::2]:5000``."""
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)


async def _serve(
    app: str, requests: socket.socket, control: socket.socket, hold_s: float, idle_s: float
) -> None:
    holder = Holder(app, requests, hold_s)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readline()).decode().split()
        writer.write(json.dumps(holder.tell(words)).encode() + b"\n")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    await asyncio.start_unix_server(listen, sock=control)
    while not holder.ended.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(idle_s / 4):
                await holder.ended.wait()
        if holder.idle_seconds() > idle_s:
            holder.tell(["end"])


def main() -> None:
    """Run as ``holder.py APP HOLD_SECONDS IDLE_SECONDS REQUESTS_FD CONTROL_FD``."""
    app, hold_seconds, idle_seconds, *numbers = sys.argv[1:]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    requests, control = (socket.socket(fileno=int(number)) for number in numbers)
    asyncio.run(_serve(app, requests, control, float(hold_seconds), float(idle_seconds)))


if __name__ == "__main__":
    main()
