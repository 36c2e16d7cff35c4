"""How requests and answers are passed on: at once, in all sizes, with patience, and logged."""

import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from pushdeploy.domain.errors import RouteFailed
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.forwarding import twins
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.unit.route.routers.nginx.holding import Serve, Visit, waiting
from tests.web_servers import EVENTS, WebServer, route_to

Ask = Callable[[str], bytes]
HOWS = ["chunked", "close", "length", "old", "json", "html"]


@pytest.fixture
def ask(address: Address) -> Ask:
    """Sends these bytes: the whole answer, until the connection is closed."""

    def send(text: str) -> bytes:
        with _talk(address, text) as talk:
            return b"".join(iter(lambda: talk.recv(65536), b""))

    return send


@contextmanager
def _talk(address: Address, text: str) -> Iterator[socket.socket]:
    with socket.create_connection((address.host, address.port), timeout=20) as talk:
        talk.sendall(text.encode())
        yield talk


# ------------------------------------------------------------- streams


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("how", HOWS)
def test_each_event_arrives_before_the_next_is_sent(
    nginx: Nginx, serve: Serve, address: Address, how: str, compressed: bool
) -> None:
    server = serve("one")
    nginx.switch(route_to(server.target), [], 30, Quiet())
    _assert_streams(server, address, how, compressed)


@pytest.mark.parametrize("how", ["chunked", "close"])
def test_so_do_those_of_a_request_that_was_held(
    nginx: Nginx, serve: Serve, address: Address, background: ThreadPoolExecutor, how: str
) -> None:
    server = serve("one")
    nginx.switch(route_to(state="held"), [], 30, Quiet())
    streaming = background.submit(_assert_streams, server, address, how, False)
    assert waiting(nginx, 1)
    nginx.switch(route_to(server.target), [], 30, Quiet())
    streaming.result(60)


def _assert_streams(server: WebServer, address: Address, how: str, compressed: bool) -> None:
    accept = "Accept-Encoding: gzip\r\n" if compressed else ""
    head = f"GET /events/{how} HTTP/1.1\r\nHost: shop.localhost\r\n{accept}\r\n"
    with _talk(address, head) as talk:
        received = b""
        while b"\r\n\r\n" not in received:
            received += talk.recv(65536)
        for _ in range(EVENTS):
            server.go_on.release()
            assert talk.recv(65536), "nothing comes before the next event"


@pytest.mark.parametrize("buffering", [True, False])
def test_a_visitor_who_does_not_read_does_not_keep_the_app_waiting(
    nginx: Nginx, serve: Serve, address: Address, buffering: bool
) -> None:
    """A page of 1 MB: more than an app server may have in hand, less than the kernel takes."""
    server = serve("one")
    server.raw = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000
    settings = FrontSettings(buffering=buffering)
    nginx.switch(route_to(server.target, settings=settings), [], 30, Quiet())
    with _talk(address, "GET /raw HTTP/1.1\r\nHost: shop.localhost\r\n\r\n"):
        assert server.sent.wait(20)


def test_an_app_that_buffers_answers_the_same(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    server = serve("one")
    settings = FrontSettings(buffering=True)
    nginx.switch(route_to(server.target, settings=settings), [], 30, Quiet())
    server.go_on.release(EVENTS)
    assert visit("shop").get("/events/close")[2] == "data: an event\n\n" * EVENTS
    assert "proxy_buffering on;" in (tmp_path / "nginx" / "apps" / "shop.conf").read_text()


def test_an_answer_may_ask_not_to_be_buffered(nginx: Nginx, serve: Serve, address: Address) -> None:
    server = serve("one")
    settings = FrontSettings(buffering=True)
    nginx.switch(route_to(server.target, settings=settings), [], 30, Quiet())
    _assert_streams(server, address, "unbuffered", compressed=True)


# ------------------------------------------------------------- patience


def test_an_app_is_given_the_time_that_it_has_asked_for(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    server = serve("one")
    hasty = FrontSettings(read_timeout_seconds=1)
    nginx.switch(route_to(server.target, settings=hasty), [], 30, Quiet())
    status, headers, body = visit("shop").get("/slow/3")
    assert (status, headers["X-Pushdeploy-Error"]) == (504, "504")
    assert "said nothing for as long as the server waits" in body
    patient = FrontSettings(read_timeout_seconds=100)
    nginx.switch(route_to(server.target, settings=patient), [], 30, Quiet())
    assert visit("shop").get("/slow/3")[0] == 200


# ------------------------------------------------------------- sizes


@pytest.mark.parametrize("kilobytes", [4, 31, 64, 200])
def test_large_headers_of_an_answer_pass(
    nginx: Nginx, serve: Serve, ask: Ask, kilobytes: int
) -> None:
    server = serve("one")
    cookie = b"x" * 1024 * kilobytes
    server.raw = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=" + cookie + b"\r\n\r\nwhole"
    nginx.switch(route_to(server.target), [], 30, Quiet())
    answer = ask("GET /raw HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert cookie in answer
    assert b"whole" in answer


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000, "The headers of the answer are too large"),
        (b"HTTP/1.1 200 OK\r\nX: broken off", "The app broke off its answer"),
        (b"", "The app did not answer"),
    ],
)
def test_the_page_says_why_an_answer_is_none(
    nginx: Nginx, serve: Serve, visit: Visit, raw: bytes, why: str
) -> None:
    server = serve("one")
    server.raw = raw
    nginx.switch(route_to(server.target), [], 30, Quiet())
    status, headers, body = visit("shop").get("/raw")
    assert (status, headers["X-Pushdeploy-Error"]) == (502, "502")
    assert body.startswith(f"502 {why}\n")


def test_a_deploy_names_headers_that_are_too_large(nginx: Nginx, serve: Serve) -> None:
    server = serve("one")
    server.always = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000
    with pytest.raises(RouteFailed, match="502 in its place: the headers of the answer are too"):
        nginx.switch(route_to(server.target), [], 30, Quiet())


@pytest.mark.parametrize("kilobytes", [8, 31, 60])
def test_large_cookies_and_addresses_reach_the_app(
    nginx: Nginx, serve: Serve, ask: Ask, kilobytes: int
) -> None:
    server = serve("one")
    nginx.switch(route_to(server.target), [], 30, Quiet())
    long = "x" * 1024 * kilobytes
    host = "Host: shop.localhost\r\nConnection: close\r\n"
    assert b"\r\n\r\none" in ask(f"GET /?{long} HTTP/1.1\r\n{host}\r\n")
    assert b"\r\n\r\none" in ask(f"GET / HTTP/1.1\r\n{host}Cookie: {long}\r\n\r\n")
    assert server.told["Cookie"] == long


@pytest.mark.parametrize(
    ("text", "status", "title"),
    [
        ("GET /{long} HTTP/1.1\r\nHost: shop.localhost\r\n\r\n", 414, "The address is too long"),
        (
            "GET / HTTP/1.1\r\nHost: shop.localhost\r\nCookie: {long}\r\n\r\n",
            431,
            "The headers of the request are too large",
        ),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "The request cannot be understood"),
    ],
)
def test_what_is_too_large_or_no_request_gets_a_plain_sentence(
    nginx: Nginx, serve: Serve, ask: Ask, text: str, status: int, title: str
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    head, _, body = ask(text.replace("{long}", "x" * 70_000)).decode().partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert f"X-Pushdeploy-Error: {status}" in head
    assert body.startswith(f"{status} {title}\n")


# ------------------------------------------------------------- names of headers


@pytest.mark.parametrize(("any_names", "passed"), [(False, set()), (True, {"a_b", "c.d"})])
def test_odd_header_names_pass_where_an_app_wants_them(
    nginx: Nginx, serve: Serve, ask: Ask, any_names: bool, passed: set[str]
) -> None:
    """Those that CGI takes for what the router tells never do."""
    server = serve("one")
    settings = FrontSettings(header_names="any" if any_names else "standard")
    nginx.switch(route_to(server.target, settings=settings), [], 30, Quiet())
    names = ["a_b", "c.d", *twins()]
    odd = "".join(f"{name}: 198.51.100.66\r\n" for name in names)
    ask(f"GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n{odd}\r\n")
    assert {name for name, value in server.told.items() if value == "198.51.100.66"} == passed


# ------------------------------------------------------------- the log


@pytest.mark.parametrize("logged", [False, True])
@pytest.mark.parametrize(
    ("line", "address_of"),
    [
        ("GET /reset?token=hush HTTP/1.1", "/reset?token=hush"),
        ("GET /reset?token=hush?hush=/hush HTTP/1.1", "/reset?token=hush?hush=/hush"),
        ("GET /?token=hush HTTP/1.0", "/?token=hush"),
        ("GET http://shop.localhost/a?token=hush HTTP/1.1", "/a?token=hush"),
        ("GET /a?token=hush hush hush HTTP/1.1", "/a?token=hush hush hush"),
        ("GET /a?token=hush", "/a?token=hush"),
        ("GET /plain HTTP/1.1", "/plain"),
    ],
)
def test_query_strings_stand_in_the_logs_only_where_the_operator_wants_them(
    tmp_path: Path,
    address: Address,
    nginx: Nginx,
    serve: Serve,
    ask: Ask,
    logged: bool,
    line: str,
    address_of: str,
) -> None:
    """A request without a host, or that is none, is not in an app's log but in the common one."""
    router = Nginx(tmp_path, SharedFront(address, log_query_strings=logged), Templates(tmp_path))
    router.start()
    router.switch(route_to(serve("one").target), [], 30, Quiet())
    logs = tmp_path / "nginx" / "logs"
    ask(f"{line}\r\nHost: shop.localhost\r\nReferer: /?hush\r\nConnection: close\r\n\r\n")

    def read() -> str:
        return (logs / "access.log").read_text() + (logs / "apps" / "shop.log").read_text()

    def addresses() -> list[str]:
        text = read()
        common = re.findall(r'"GET (\S.*?)(?: HTTP/1..)?" status=', text)
        return common + re.findall(r'"path":"(.*?)"', text)

    wanted = address_of if logged else address_of.partition("?")[0]
    assert until(lambda: wanted in addresses(), 20), addresses()
    assert logged or "hush" not in read()
