"""Little web servers that stand for tasks, and visitors that count what they lose."""

import http.client
import itertools
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.route import Route, Target
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.domain.site import Site, SiteState
from pushdeploy.settings import Address

_SETTINGS = FrontSettings(body_limit_bytes=2_000_000)
_addresses = itertools.cycle(range(2, 250))


EVENTS = 4
"""How many ``/events`` tells."""


HOURS = 3 * 3600
"""In seconds, longer than any test may take: what ends before has not waited for it."""


def route_to(
    *targets: Target,
    app: str = "shop",
    version: int | None = 1,
    settings: FrontSettings = _SETTINGS,
    state: SiteState = "serving",
) -> Route:
    site = Site(AppName.parse(app), [HostName.parse(f"{app}.localhost")], settings, state)
    return Route(site, targets, version)


class _Handler(BaseHTTPRequestHandler):
    """``/`` says the server's name, ``/slow/2`` after 2 s, ``/headers`` what came; echoes POSTs.

    ``/events/<how>`` sends an event each time that the server is told to go on, ``/raw`` what the
    server has in hand.
    """

    protocol_version = "HTTP/1.1"
    server: "WebServer"

    def do_GET(self) -> None:
        self.server.told = dict(self.headers.items())
        if upgrade := self.headers.get("Upgrade"):
            self.server.upgrades.append(upgrade)
            self._echo_for_ever()
            return
        if self.path.startswith("/slow/"):
            self.server.arrived.set()
            time.sleep(float(self.path.removeprefix("/slow/")))
        if self.path.startswith("/events/"):
            self._tell_events(self.path.rpartition("/")[2])
            return
        if self.path == "/raw" or self.server.always:
            self.connection.sendall(self.server.always or self.server.raw)
            self.server.sent.set()
            self.close_connection = True
            return
        asked = self.path.partition("?")[0]
        body = str(self.headers) if asked == "/headers" else self.server.name
        self._say(body.encode())
        if self.path.startswith("/slow/"):
            self.server.sent.set()

    def do_POST(self) -> None:
        self.server.posts += 1
        self._say(f"{len(self._body())} bytes".encode())

    def _body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *arguments: object) -> None:
        pass

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", "the app's own")
        self.end_headers()
        self.wfile.write(body)

    def _tell_events(self, how: str) -> None:
        """``how``: with a ``length``, until we ``close``, ``old`` HTTP, else in chunks."""
        event = b"data: an event\n\n"
        version = "1.0" if how == "old" else "1.1"
        kind = {"json": "application/json", "html": "text/html"}.get(how, "text/event-stream")
        framing = {
            "length": f"Content-Length: {EVENTS * len(event)}\r\n",
            "close": "Connection: close\r\n",
            "unbuffered": "Connection: close\r\nX-Accel-Buffering: no\r\n",
            "old": "",
        }.get(how, "Transfer-Encoding: chunked\r\n")
        head = f"HTTP/{version} 200 OK\r\nContent-Type: {kind}\r\n{framing}\r\n"
        self.connection.sendall(head.encode())
        chunked = "chunked" in framing
        for _ in range(EVENTS):
            self.server.go_on.acquire(timeout=20)
            self.connection.sendall(b"%x\r\n%s\r\n" % (len(event), event) if chunked else event)
        if chunked:
            self.connection.sendall(b"0\r\n\r\n")
        self.close_connection = True

    def _echo_for_ever(self) -> None:
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        while data := self.connection.recv(1000):
            self.connection.sendall(data)
        self.close_connection = True


class WebServer(ThreadingHTTPServer):
    """On a loopback address of its own, as a container has one. ``kill`` cuts every connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str) -> None:
        super().__init__((f"127.0.0.{next(_addresses)}", 0), _Handler)
        self.name = name
        self.arrived = threading.Event()
        self.posts = 0
        self.told: Mapping[str, str] = {}
        self.upgrades: list[str] = []
        self.go_on = threading.Semaphore(0)
        self.raw = self.always = b""
        self.sent = threading.Event()
        self._connections: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()

    @property
    def target(self) -> Target:
        host, port = self.server_address[:2]
        return Target(str(host), int(port))

    def kill(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A cut connection is no news here."""


class Visitor:
    """One keep-alive client of an app; ``get`` and ``post`` give status, headers and body."""

    def __init__(self, address: Address, host: str) -> None:
        self.connection = http.client.HTTPConnection(address.host, address.port, timeout=20)
        self._host = host

    def get(self, path: str = "/", **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        return self._ask("GET", path, None, headers)

    def post(self, body: bytes) -> tuple[int, http.client.HTTPMessage, str]:
        return self._ask("POST", "/", body, {})

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, {"Host": self._host, **named})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


class Crowd:
    """Visitors that ask without a pause longer than theirs, and count: answered, lost, why."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.lost: list[str] = []
        self._stop = threading.Event()

    @contextmanager
    def visiting(
        self, address: Address, host: str, pauses_seconds: list[float], path: str = "/"
    ) -> Iterator[None]:
        """One visitor for each pause; every other one posts."""
        threads = [
            threading.Thread(target=self._visit, args=[Visitor(address, host), pause, path, number])
            for number, pause in enumerate(pauses_seconds)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(30)

    def _visit(self, visitor: Visitor, pause_seconds: float, path: str, number: int) -> None:
        while not self._stop.is_set():
            try:
                ask_by_post = number % 2 and path == "/"
                status, _, body = visitor.post(b"x" * 10) if ask_by_post else visitor.get(path)
            except (OSError, http.client.HTTPException) as error:
                visitor.connection.close()
                self.lost.append(repr(error))
                continue
            if status == 200:
                self.answers[body] += 1
            else:
                self.lost.append(f"{status} {body}")
            self._stop.wait(pause_seconds)
        visitor.connection.close()


def websocket(address: Address, app: str, headers: str = "") -> socket.socket:
    talk = socket.create_connection((address.host, address.port), timeout=10)
    talk.sendall(
        f"GET /socket HTTP/1.1\r\nHost: {app}.localhost\r\n".encode()
        + f"Connection: Upgrade\r\nUpgrade: websocket\r\n{headers}\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += talk.recv(1000)
    assert head.startswith(b"HTTP/1.1 101 ")
    return talk


def free_address() -> Address:
    """Below the ports that the kernel gives to clients, so that nobody takes it meanwhile."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return Address("127.0.0.1", port)
