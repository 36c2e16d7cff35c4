"""Requests that are made to be read in two ways, floods and sloths: the app never sees them."""

import re
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest

from pushdeploy.domain.route import Target
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.http2 import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    RESET,
    fields,
    frame,
    frames_of,
    literal,
    speaking,
)
from tests.web_servers import Visitor, free_address, route_to

HIDDEN = "GET /hidden HTTP/1.1\r\nHost: shop.localhost\r\n\r\n"


class Eager:
    """An app that answers whatever looks like a request, and remembers all that it was sent."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def target(self) -> Target:
        return Target(*self._socket.getsockname())

    @property
    def asked(self) -> Sequence[str]:
        """The addresses of what a lenient server would take for requests, our own left out."""
        found = re.findall(rb"(?m)^(?:GET|POST|HEAD) (\S+)", b"\n".join(self.received))
        return [path.decode() for path in found if path != b"/"]

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while data := connection.recv(65536):
                self.received.append(data)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@dataclass(frozen=True)
class Front:
    """Where a router is asked, and the app behind it, which takes header names of every kind."""

    address: Address
    https: Address
    eager: Eager


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home = tmp_path_factory.mktemp("hostile")
    own = home / "templates" / "nginx" / "shared"
    own.mkdir(parents=True)
    shipped = Templates().render("nginx/shared/limits.conf", keepalive_min_timeout_seconds=5)
    hurried = shipped.replace("client_header_timeout 15s", "client_header_timeout 1s")
    assert hurried != shipped
    (own / "limits.conf").write_text(hurried)
    made = Front(free_address(), free_address(), Eager())
    router = Nginx(home, SharedFront(made.address, https=made.https), Templates(home))
    router.start()
    settings = FrontSettings(header_names="any")
    router.switch(route_to(made.eager.target, settings=settings), [], 30, Quiet())
    yield made
    router.stop()
    made.eager.close()


@pytest.fixture
def eager(shared: Front) -> Eager:
    shared.eager.received.clear()
    return shared.eager


@pytest.fixture
def address(shared: Front) -> Address:
    return shared.address


@pytest.fixture
def https(shared: Front) -> Address:
    return shared.https


# ------------------------------------------------------------- HTTP/1


def head(*lines: str, first: str = "POST /first HTTP/1.1") -> str:
    return "\r\n".join([first, "Host: shop.localhost", *lines, "", ""])


def chunk(text: str) -> str:
    return f"{len(text):x}\r\n{text}\r\n"


@pytest.mark.parametrize(
    "text",
    [
        head("Content-Length: 6", "Transfer-Encoding: chunked") + "0\r\n\r\n" + HIDDEN,
        head("Transfer-Encoding: chunked", f"Content-Length: {len(HIDDEN) + 5}")
        + "0\r\n\r\n"
        + HIDDEN,
        head(f"Content-Length: {len(HIDDEN)}", "Content-Length: 0") + HIDDEN,
        head("Content-Length: 0", f"Content-Length: {len(HIDDEN)}") + HIDDEN,
        head(f"Content-Length: +{len(HIDDEN)}") + HIDDEN,
        head(f"Content-Length: 0, {len(HIDDEN)}") + HIDDEN,
        head("Content-Length: 0x2") + HIDDEN,
        head(f"Content-Length : {len(HIDDEN)}") + HIDDEN,
        head(f"Content-Length:\x0b{len(HIDDEN)}") + HIDDEN,
        head("Transfer-Encoding: xchunked") + chunk(HIDDEN),
        head("Transfer-Encoding: chunked, identity") + chunk(HIDDEN),
        head("Transfer-Encoding: identity") + chunk(HIDDEN),
        head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + "0\r\n\r\n" + HIDDEN,
        head("Transfer-Encoding : chunked") + "0\r\n\r\n" + HIDDEN,
        head("Transfer-Encoding:\x0bchunked") + "0\r\n\r\n" + HIDDEN,
        head(" Transfer-Encoding: chunked") + "0\r\n\r\n" + HIDDEN,
        head("X: y", " Transfer-Encoding: chunked") + "0\r\n\r\n" + HIDDEN,
        head("X: y", "\tContent-Length: 300") + HIDDEN,
        head("X: y\rTransfer-Encoding: chunked") + "0\r\n\r\n" + HIDDEN,
        head("X: \0y", "Content-Length: 0") + HIDDEN,
        head("Transfer-Encoding: chunked", first="POST /first HTTP/1.0") + "0\r\n\r\n" + HIDDEN,
        head("Transfer-Encoding: chunked") + "-1\r\n\r\n" + HIDDEN,
        head("Transfer-Encoding: chunked") + "fffffffffffffffff\r\n" + HIDDEN,
        head("Transfer-Encoding: chunked") + "0x0\r\n\r\n" + HIDDEN,
        head("Host: blog.localhost") + HIDDEN,
        head(first="POST /first HTTP/1.1\r\n X: y") + HIDDEN,
        head(first="POST /first  HTTP/1.1 HTTP/1.1") + HIDDEN,
        head(first="POST /first HTTP/9.9") + HIDDEN,
    ],
)
def test_a_request_that_can_be_read_in_two_ways_reaches_nobody(
    address: Address, eager: Eager, text: str
) -> None:
    """Where one way of reading has a second request in it, the connection ends before that."""
    answer = all_of(address, text.encode("latin-1"))
    assert re.match(rb"HTTP/1\.1 (?:400|501|505) ", answer), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1
    assert "/hidden" not in eager.asked


@pytest.mark.parametrize(
    "text",
    [
        head(f"Content-Length: {len(HIDDEN)}") + HIDDEN,
        head("Transfer-Encoding: chunked") + chunk(HIDDEN) + "0\r\n\r\n",
        head("Transfer_Encoding: chunked", f"Content-Length: {len(HIDDEN)}") + HIDDEN,
        head("Content_Length: 0", f"Content-Length: {len(HIDDEN)}") + HIDDEN,
        head(f"Content-Length: {len(HIDDEN)}").replace("\r\n", "\n") + HIDDEN,
    ],
)
def test_what_can_be_read_in_one_way_reaches_the_app_as_one_request(
    address: Address, eager: Eager, text: str
) -> None:
    """The body of each looks like a request; the app is told its length without a doubt."""
    whole = text.replace("POST /first HTTP/1.1", "POST /first HTTP/1.1\r\nConnection: close", 1)
    answer = all_of(address, whole.encode("latin-1"), says_bye=False)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert eager.asked[0] == "/first"
    sent = b"".join(eager.received).partition(b"POST /first")[2]
    told, _, body = sent.partition(b"\r\n\r\n")
    lengths = re.findall(rb"(?im)^(content.length|transfer.encoding): *(\S+)", told)
    assert len(lengths) == 1, lengths
    assert b"\n" not in told.replace(b"\r\n", b"")
    assert body.startswith((b"GET /hidden", b"%x\r\nGET" % len(HIDDEN)))


def test_a_flood_of_headers_is_refused_and_others_are_answered(
    address: Address, eager: Eager
) -> None:
    flood = "".join(f"X-{number}: {'y' * 80}\r\n" for number in range(10_000))
    answer = all_of(address, head(flood.rstrip()).encode())
    assert re.match(rb"HTTP/1\.1 4(?:00|31) ", answer)
    assert eager.asked == []
    assert_serves(address)


def test_one_who_takes_ever_longer_for_a_head_is_not_waited_for(
    address: Address, eager: Eager
) -> None:
    sloths = [socket.create_connection((address.host, address.port), 20) for _ in range(200)]
    for sloth in sloths:
        sloth.sendall(b"GET /slow HTTP/1.1\r\nHost: shop.localhost\r\nX: ")
    assert_serves(address)
    for sloth in sloths:
        sloth.settimeout(20)
        with sloth, suppress(ConnectionResetError):
            while sloth.recv(1000):
                pass
    assert eager.asked == []


# ------------------------------------------------------------- HTTP/2


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (fields(("transfer-encoding", "chunked"), method="POST"), f"0\r\n\r\n{HIDDEN}"),
        (fields(("content-length", "0"), method="POST"), HIDDEN),
        (fields(("content-length", "9999"), method="POST"), HIDDEN),
        (fields(("content-length", "5"), ("content-length", "6"), method="POST"), HIDDEN),
        (fields(("x", f"y\r\n\r\n{HIDDEN}")), ""),
        (fields(("x", f"y\n\n{HIDDEN}")), ""),
        (fields((f"x: y\r\n\r\n{HIDDEN}", "z")), ""),
        (fields(("X-Upper", "y")), ""),
        (fields(("x y", "z")), ""),
        (fields(("x\0", "z")), ""),
        (fields(path=f"/first HTTP/1.1\r\nHost: x\r\n\r\n{HIDDEN}"), ""),
        (fields(method="GET /hidden HTTP/1.1\r\nX: y\r\n\r\nGET"), ""),
        (fields((":path", "/hidden")), ""),
        (fields(("host", "blog.localhost")), ""),
        (fields((":authority", "blog.localhost")), ""),
        (fields(path="hidden"), ""),
    ],
)
def test_a_stream_that_http1_would_read_in_two_ways_reaches_nobody(
    https: Address, address: Address, eager: Eager, header: bytes, body: str
) -> None:
    with speaking(https) as talk:
        flags = END_HEADERS | (0 if body else END_STREAM)
        talk.sendall(frame(HEADERS, flags, 1, header))
        if body:
            talk.sendall(frame(DATA, END_STREAM, 1, body.encode()))
        told = next(each for each in frames_of(talk) if each[0] in {HEADERS, RESET, GOAWAY})
    assert told[0] in {RESET, GOAWAY} or told[3][:1] == b"\x8c" or b"400" in told[3][:8], told
    assert not [path for path in eager.asked if path != "/first"]
    assert_serves(address)


def test_streams_that_are_opened_and_reset_at_once_do_not_reach_the_app_by_the_thousand(
    https: Address, address: Address, eager: Eager
) -> None:
    """CVE-2023-44487: each costs its sender nothing. nginx ends the connection."""
    with speaking(https) as talk:
        header, cancel = fields(path="/reset"), struct.pack(">I", 8)
        burst = b"".join(
            frame(HEADERS, END_HEADERS | END_STREAM, number, header)
            + frame(RESET, 0, number, cancel)
            for number in range(1, 20_001, 2)
        )
        with suppress(OSError):
            talk.sendall(burst)
        assert any(kind == GOAWAY for kind, *_ in frames_of(talk))
    assert eager.asked.count("/reset") < 2000
    assert_serves(address)


def test_a_head_that_goes_on_for_ever_ends_the_connection(
    https: Address, address: Address, eager: Eager
) -> None:
    """CVE-2024-27316 and its like: CONTINUATION after CONTINUATION."""
    with speaking(https) as talk:
        talk.sendall(frame(HEADERS, END_STREAM, 1, fields()))
        more = frame(CONTINUATION, 0, 1, b"".join(literal(f"x{n}", "y" * 100) for n in range(100)))
        with suppress(OSError):
            for _ in range(1000):
                talk.sendall(more)
        for _ in frames_of(talk):
            pass
    assert eager.asked == []
    assert_serves(address)


def all_of(address: Address, data: bytes, *, says_bye: bool = True) -> bytes:
    """Everything that is answered until the connection ends, or nothing more comes."""
    with socket.create_connection((address.host, address.port), timeout=20) as talk:
        answer = b""
        with suppress(OSError):
            talk.sendall(data)
            if says_bye:
                talk.shutdown(socket.SHUT_WR)
            while more := talk.recv(65536):
                answer += more
        return answer


def assert_serves(address: Address) -> None:
    visitor = Visitor(address, "shop.localhost")
    assert until(lambda: visitor.get("/")[0] == 200, 20)
    visitor.connection.close()
