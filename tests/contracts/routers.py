"""What the contracts of routers are tried with: one that is discovered, or the one in memory."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from pushdeploy.domain.container import LogLine
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.route import Route
from pushdeploy.instance import Home
from pushdeploy.route.choice import RouterGround, choose_router
from pushdeploy.route.deadline import until
from pushdeploy.settings import Address, load_settings
from tests.authority import shown_by
from tests.memory import MemoryRouter
from tests.web_servers import Visitor, WebServer, free_address, route_to


@dataclass
class Bench:
    """A router that runs, and where its visitors ask.

    ``unusable`` makes a route that it cannot switch to, of an app that has one already;
    ``certificate`` is what visitors of a host are shown, in DER, or None.
    """

    router: Router
    address: Address
    successor: Callable[[], Router]
    unusable: Callable[[], Route]
    certificate: Callable[[str], bytes | None]

    def ask(self, app: str = "shop", path: str = "/") -> tuple[int, str]:
        """What a visitor of ``app`` is answered: a status and a body."""
        visitor = Visitor(self.address, f"{app}.localhost")
        try:
            status, _, body = visitor.get(path)
            return status, body
        finally:
            visitor.connection.close()


@contextmanager
def discovered(name: str, home: Path) -> Iterator[Bench]:
    """The router that PUSHDEPLOY_ROUTER names; no process of it is left."""
    address, https = free_address(), free_address()
    settings = load_settings(home=home, http=address, tls="own", https=https, router=name)
    ground = RouterGround(Home(home), settings)
    router = choose_router(ground)
    try:
        router.start()
        yield Bench(
            router,
            address,
            lambda: choose_router(ground),
            _route_to_nobody,
            lambda host: shown_by(https, host),
        )
    finally:
        until(lambda: not _kill_those_below(home), 10)


@contextmanager
def in_memory() -> Iterator[Bench]:
    """The router of tests that need no real one, behind a server that does as its table says."""
    router = MemoryRouter()

    def unusable() -> Route:
        router.refused.add("shop.localhost")
        return route_to(version=2)

    with _Front(router) as front:
        host, port = front.server_address[:2]
        Thread(target=front.serve_forever, args=[0.01], daemon=True).start()
        place = Address(str(host), int(port))
        yield Bench(router, place, lambda: router, unusable, router.certificate)
        front.shutdown()


def _route_to_nobody() -> Route:
    silent = WebServer("silent")
    silent.kill()
    return route_to(silent.target, version=2)


def _kill_those_below(home: Path) -> bool:
    """End what works in ``home``: whether there was anything."""
    found = [pid for pid in Path("/proc").iterdir() if pid.name.isdecimal() and _works(pid, home)]
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(int(pid.name), signal.SIGKILL)
    return bool(found)


def _works(pid: Path, home: Path) -> bool:
    try:
        return (pid / "cwd").readlink().is_relative_to(home.resolve())
    except OSError:
        return False


class _Front(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, router: MemoryRouter) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.router = router

    def route(self, host: str) -> Route | None:
        routes = list(self.router.table.values())
        return next((route for route in routes if host in route.site.hosts), None)


class _Handler(BaseHTTPRequestHandler):
    server: _Front

    def do_GET(self) -> None:
        host = self.headers["Host"]
        token = self.path.removeprefix("/.well-known/acme-challenge/")
        if token in self.server.router.tokens:
            self._say(200, self.server.router.tokens[token])
            return
        until(lambda: not ((route := self.server.route(host)) and route.is_held), 20)
        route = self.server.route(host)
        if route is None or not route.targets:
            self._say(404 if route is None else 503, "")
            return
        target = route.targets[0]
        visitor = Visitor(Address(target.address, target.port), host)
        line = LogLine(datetime.now(UTC), 1, f'at=info path="{self.path}"')
        self.server.router.asked.setdefault(route.app, []).append(line)
        try:
            self._say(200, visitor.get(self.path)[2])
        except OSError:
            self._say(502, "")
        finally:
            visitor.connection.close()

    def log_message(self, *arguments: object) -> None:
        pass

    def _say(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
