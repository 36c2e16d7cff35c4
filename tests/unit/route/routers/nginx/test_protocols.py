"""The same task again, answers that are kept, and PROXY lines."""

import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from pushdeploy.domain.errors import RouteFailed
from pushdeploy.domain.names import AppName
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.output import Quiet
from pushdeploy.route.routers.nginx.program import Features, refuse_unable
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.http2 import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    RESET,
    Http2App,
    fields,
    frame,
    frames_of,
    speaking,
)
from tests.unit.route.routers.nginx.holding import Serve, Visit, waiting
from tests.web_servers import EVENTS, WebServer, free_address, route_to

STICKY = FrontSettings(sticky=True)
CACHING = FrontSettings(cache=True)
KEPT = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n"


# ------------------------------------------------------------- the same task again


def test_a_visitor_with_the_cookie_comes_back_to_the_same_task(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    servers = [serve(name) for name in ("one", "two", "three")]
    targets = [server.target for server in servers]
    nginx.switch(route_to(*targets, settings=STICKY), [], 30, Quiet())
    _, headers, first = visit("shop").get()
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert Counter(visit("shop").get(Cookie=cookie)[2] for _ in range(9)) == {first: 9}
    assert len({visit("shop").get()[2] for _ in range(9)}) == 3
    next(server for server in servers if server.name == first).kill()
    assert visit("shop").get(Cookie=cookie)[0] == 200


def test_an_older_nginx_says_that_it_cannot() -> None:
    with pytest.raises(RouteFailed, match=r"nginx 1\.22\.1 cannot send a visitor") as caught:
        refuse_unable(route_to(settings=STICKY), lambda: Features((1, 22, 1)))
    assert "apps:set shop sticky=off" in caught.value.hint
    refuse_unable(route_to(), lambda: Features((1, 22, 1)))


def test_a_router_is_asked_before_it_renders(nginx: Nginx, serve: Serve, visit: Visit) -> None:
    """The sentence comes instead of what nginx says of a directive or of two that clash."""
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    both = FrontSettings(protocol="h2c", cache=True)
    with pytest.raises(RouteFailed, match=r"cache=on is for apps that are asked by HTTP/1"):
        nginx.refresh(route_to(serve("two").target, settings=both))
    assert visit("shop").get()[2] == "one"


# ------------------------------------------------------------- answers that are kept


def answers(server: WebServer, head: bytes, body: bytes) -> None:
    server.raw = head + b"\r\n" + body


@pytest.mark.parametrize(
    ("head", "visitor", "kept"),
    [
        (KEPT, {}, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", {}, False),
        (b"HTTP/1.1 200 OK\r\nCache-Control: private\r\nContent-Length: 4\r\n", {}, False),
        (b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 4\r\n", {}, False),
        (KEPT + b"Set-Cookie: id=1\r\n", {}, False),
        (KEPT + b"Vary: *\r\n", {}, False),
        (KEPT, {"Cookie": "id=1"}, False),
        (KEPT, {"Authorization": "Basic eDp5"}, False),
    ],
)
def test_only_what_everybody_may_have_is_kept(
    nginx: Nginx, serve: Serve, visit: Visit, head: bytes, visitor: dict[str, str], kept: bool
) -> None:
    server = serve("one")
    nginx.switch(route_to(server.target, settings=CACHING), [], 30, Quiet())
    answers(server, head, b"old.")
    assert visit("shop").get("/raw", **visitor)[2] == "old."
    answers(server, head, b"new.")
    assert visit("shop").get("/raw", **visitor)[2] == ("old." if kept else "new.")


def test_who_may_be_somebody_gets_nothing_that_is_kept(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    server = serve("one")
    nginx.switch(route_to(server.target, settings=CACHING), [], 30, Quiet())
    answers(server, KEPT, b"all.")
    visit("shop").get("/raw")
    answers(server, KEPT, b"mine")
    assert visit("shop").get("/raw", Cookie="id=1")[2] == "mine"
    status, headers, body = visit("shop").get("/raw")
    assert (status, headers["X-Cache"], body) == (200, "HIT", "all.")


def test_a_release_forgets_what_was_kept_and_so_does_the_end_of_the_app(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    server = serve("one")
    for version in (1, 2):
        route = route_to(server.target, settings=CACHING, version=version)
        nginx.switch(route, [], 30, Quiet())
        answers(server, KEPT, b"v%3d" % version)
        assert visit("shop").get("/raw")[2] == f"v{version:3}"
    assert [path.name for path in (tmp_path / "nginx" / "cache").iterdir()] == ["shop"]
    nginx.remove(AppName("shop"))
    assert list((tmp_path / "nginx" / "cache").iterdir()) == []


# ------------------------------------------------------------- HTTP/2 to the app


H2C = FrontSettings(protocol="h2c")


@pytest.fixture
def secure(tmp_path: Path, address: Address, make_nginx: Callable[[], Nginx]) -> SharedFront:
    """``make_nginx`` stops what is started with it."""
    return SharedFront(address, https=free_address(), hold_seconds=20)


def called(https: Address | None) -> tuple[bytes, bytes]:
    """What a gRPC client gets: the message and what comes last, the trailer."""
    assert https is not None
    with speaking(https) as talk:
        header = fields(("te", "trailers"), ("content-type", "application/grpc"), method="POST")
        talk.sendall(frame(HEADERS, END_HEADERS, 1, header))
        talk.sendall(frame(DATA, END_STREAM, 1, b"\0\0\0\0\0"))
        message, last = b"", b""
        for kind, flags, stream, payload in frames_of(talk):
            message += payload if kind == DATA else b""
            last = payload if kind == HEADERS else last
            if stream == 1 and (kind == RESET or (flags & END_STREAM and kind in {HEADERS, DATA})):
                break
        return message, last


def test_an_app_that_speaks_http2_alone_is_asked_so_and_its_trailers_arrive(
    tmp_path: Path, secure: SharedFront
) -> None:
    router = Nginx(tmp_path, secure, Templates(tmp_path))
    router.start()
    one, two = Http2App("one"), Http2App("two")
    router.switch(route_to(one.target, settings=H2C), [], 30, Quiet())
    message, trailer = called(secure.https)
    assert (message, one.asked > 0) == (b"one", True)
    assert len(trailer) > 2
    router.switch(route_to(two.target, version=2, settings=H2C), [one.target], 5, Quiet())
    one.kill()
    assert called(secure.https)[0] == b"two"


def test_its_requests_wait_like_all_others(
    tmp_path: Path, secure: SharedFront, background: ThreadPoolExecutor
) -> None:
    router = Nginx(tmp_path, secure, Templates(tmp_path))
    router.start()
    router.switch(route_to(state="held", settings=H2C), [], 30, Quiet())
    answer = background.submit(called, secure.https)
    assert waiting(router, 1)
    router.switch(route_to(Http2App("next").target, settings=H2C), [], 30, Quiet())
    assert answer.result(30)[0] == b"next"


@pytest.mark.parametrize("how", ["chunked", "close", "length"])
def test_events_arrive_one_by_one_over_tls_and_http2_too(
    tmp_path: Path, secure: SharedFront, serve: Serve, how: str
) -> None:
    router = Nginx(tmp_path, secure, Templates(tmp_path))
    router.start()
    server = serve("one")
    settings = FrontSettings(https="both")
    router.switch(route_to(server.target, settings=settings), [], 30, Quiet())
    assert secure.https is not None
    with speaking(secure.https) as talk:
        header = fields(path=f"/events/{how}")
        talk.sendall(frame(HEADERS, END_HEADERS | END_STREAM, 1, header))
        arriving = (payload for kind, _, _, payload in frames_of(talk) if kind == DATA and payload)
        for _ in range(EVENTS):
            server.go_on.release()
            assert next(arriving) == b"data: an event\n\n"


@pytest.mark.parametrize(
    ("settings", "features", "said"),
    [
        (H2C, Features((1, 22, 1)), "nginx 1.22.1 cannot ask an app by HTTP/2"),
        (H2C, Features((1, 31, 3), grpc=False), "cannot ask an app by HTTP/2"),
        (replace(H2C, cache=True), Features((1, 31, 3)), "cache=on is for apps"),
        (replace(H2C, header_names="any"), Features((1, 31, 3)), "header-names=any is for"),
    ],
)
def test_what_does_not_go_with_http2_is_named(
    settings: FrontSettings, features: Features, said: str
) -> None:
    with pytest.raises(RouteFailed, match=said):
        refuse_unable(route_to(settings=settings), lambda: features)


# ------------------------------------------------------------- PROXY lines


@pytest.fixture
def behind(tmp_path: Path, address: Address, make_nginx: Callable[[], Nginx]) -> Nginx:
    """A router whose load balancer has a loopback address; ``make_nginx`` stops it."""
    trusted = [ip_network("127.0.0.1/32")]
    shared = SharedFront(address, trusted=trusted, proxy_protocol=True)
    router = Nginx(tmp_path, shared, Templates(tmp_path))
    router.start()
    return router


@pytest.fixture
def say(address: Address) -> Callable[[bytes], bytes]:
    def send(line: bytes) -> bytes:
        head = b"GET /headers HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n"
        forged = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n"
        with socket.create_connection((address.host, address.port), timeout=20) as talk:
            talk.sendall(line + head + forged)
            try:
                return b"".join(iter(lambda: talk.recv(65536), b""))
            except ConnectionResetError:
                return b""

    return send


def test_a_proxy_line_tells_the_visitors_address_and_its_headers_tell_nothing(
    behind: Nginx, serve: Serve, say: Callable[[bytes], bytes]
) -> None:
    server = serve("one")
    behind.switch(route_to(server.target), [], 30, Quiet())
    assert b" 200 " in say(b"PROXY TCP4 198.51.100.7 192.0.2.1 5555 80\r\n")
    assert server.told["X-Forwarded-For"] == "198.51.100.7"
    assert server.told["X-Forwarded-Proto"] == "http"


@pytest.mark.parametrize("line", [b"", b"PROXY ODD\r\n", b"proxy tcp4 1.2.3.4 1.2.3.4 1 1\r\n"])
def test_who_does_not_begin_with_a_proxy_line_is_refused(
    behind: Nginx, serve: Serve, say: Callable[[bytes], bytes], line: bytes
) -> None:
    behind.switch(route_to(serve("one").target), [], 30, Quiet())
    assert say(line) == b""
