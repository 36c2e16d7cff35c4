"""Who is believed: an app reads what the router knows of a request, not what was claimed."""

import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest

from pushdeploy.output import Quiet
from pushdeploy.route.routers.nginx import rendering
from pushdeploy.route.routers.nginx.forwarding import NEVER, TRUSTED_ONLY, WRITTEN, twins, variable
from pushdeploy.route.routers.nginx.program import Features
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.unit.route.routers.nginx.holding import Serve, waiting
from tests.web_servers import route_to, websocket

FORGED = dict.fromkeys((*WRITTEN, *NEVER, *TRUSTED_ONLY), "198.51.100.66")
Ask = Callable[[str, Sequence[tuple[str, str]]], "Seen"]
MakeNginx = Callable[[], Nginx]
LOOPBACK = [ip_network("127.0.0.0/8")]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the client got, and what the app read."""

    status: int
    headers: Mapping[str, str]


@pytest.fixture
def ask(address: Address) -> Ask:
    """Sends one request line and headers as they are: ``/headers`` of an app answers with them."""

    def send(line: str, headers: Sequence[tuple[str, str]]) -> Seen:
        text = "".join(f"{name}: {value}\r\n" for name, value in headers)
        with socket.create_connection((address.host, address.port), timeout=20) as talk:
            talk.sendall(f"{line}\r\n{text}Connection: close\r\n\r\n".encode())
            answer = b""
            while data := talk.recv(65536):
                answer += data
        head, _, body = answer.decode().partition("\r\n\r\n")
        lines = [each.partition(": ") for each in body.splitlines() if ": " in each]
        return Seen(int(head.split()[1]), {name.lower(): value for name, _, value in lines})

    return send


@pytest.fixture
def trusting(tmp_path: Path, address: Address, nginx: Nginx, serve: Serve) -> Nginx:
    """The router of a home where everybody on this machine is a trusted proxy."""
    router = Nginx(tmp_path, SharedFront(address, trusted=LOOPBACK), Templates(tmp_path))
    router.start()
    router.switch(route_to(serve("one").target), [], 30, Quiet())
    return router


# ------------------------------------------------------------- Host


@pytest.mark.parametrize(
    ("line", "host", "read"),
    [
        ("GET /headers HTTP/1.1", "blog.localhost", "blog.localhost"),
        ("GET /headers HTTP/1.1", "BLOG.Localhost", "blog.localhost"),
        ("GET /headers HTTP/1.1", "blog.localhost.", "blog.localhost"),
        ("GET /headers HTTP/1.1", "blog.localhost:8080", "blog.localhost:8080"),
        ("GET /headers HTTP/1.1", "Blog.Localhost.:8080", "blog.localhost:8080"),
        ("GET /headers HTTP/1.0", "blog.localhost", "blog.localhost"),
        ("GET http://blog.localhost/headers HTTP/1.1", "shop.localhost", "blog.localhost"),
        ("GET http://blog.localhost:81/headers HTTP/1.1", "shop.localhost:82", "blog.localhost:81"),
        ("GET http://blog.localhost/headers HTTP/1.1", "shop.localhost:82", "blog.localhost"),
        ("GET HTTP://BLOG.localhost./headers HTTP/1.1", "shop.localhost", "blog.localhost"),
        ("GET https://blog.localhost/headers HTTP/1.1", "shop.localhost", "blog.localhost"),
        ("GET http://blog.localhost/headers?x=:9 HTTP/1.1", "shop.localhost", "blog.localhost"),
        ("GET http://blog.localhost/headers HTTP/1.0", None, "blog.localhost"),
    ],
)
@pytest.mark.parametrize("names_ports", [True, False])
def test_an_app_reads_the_host_that_was_routed(
    make_nginx: MakeNginx,
    serve: Serve,
    ask: Ask,
    tmp_path: Path,
    line: str,
    host: str | None,
    read: str,
    names_ports: bool,
) -> None:
    """Also with what is rendered for an nginx without a variable for the port."""
    if not names_ports:
        text = rendering.forwarding_file(
            Templates(), SharedFront(Address("::", 1)), Features((1, 22, 1))
        )
        own = tmp_path / "templates" / "nginx"
        own.mkdir(parents=True)
        (own / "forwarding.conf").write_text(text)
    nginx = make_nginx()
    nginx.start()
    nginx.routes([route_to(serve(app).target, app=app) for app in ("shop", "blog")])
    seen = ask(line, [("Host", host)] if host else [])
    assert (seen.status, seen.headers.get("host")) == (200, read)
    assert seen.headers["x-pushdeploy-app"] == "blog"


@pytest.mark.parametrize(
    ("line", "hosts", "status"),
    [
        ("GET /headers HTTP/1.1", [], 400),
        ("GET /headers HTTP/1.1", ["shop.localhost", "blog.localhost"], 400),
        ("GET /headers HTTP/1.1", [""], 400),
        ("GET /headers HTTP/1.1", ["anybody@shop.localhost"], 400),
        ("GET http://anybody@shop.localhost/headers HTTP/1.1", ["shop.localhost"], 400),
        ("GET http:///headers HTTP/1.1", ["shop.localhost"], 400),
        ("GET http://shop.localhost/headers HTTP/1.1", [], 400),
        ("GET http://shop.localhost/ HTTP/1.1", ["shop.localhost", "shop.localhost"], 400),
        ("GET /headers HTTP/1.0", [], 404),
        ("GET http://nobody.localhost/headers HTTP/1.1", ["shop.localhost"], 404),
    ],
)
def test_a_request_without_one_clear_host_reaches_no_app(
    nginx: Nginx, serve: Serve, ask: Ask, line: str, hosts: Sequence[str], status: int
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    assert ask(line, [("Host", host) for host in hosts]).status == status


# ------------------------------------------------------------- who asks


def test_nobody_writes_what_the_router_tells(nginx: Nginx, serve: Serve, ask: Ask) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    seen = ask("GET /headers HTTP/1.1", [("Host", "shop.localhost"), *FORGED.items()])
    _assert_untouched(seen.headers, nginx)


def test_the_same_holds_for_requests_that_were_held(
    nginx: Nginx, serve: Serve, ask: Ask, background: ThreadPoolExecutor
) -> None:
    nginx.switch(route_to(state="held"), [], 30, Quiet())
    headers = [("Host", "shop.localhost"), *FORGED.items()]
    asking = background.submit(ask, "GET /headers HTTP/1.1", headers)
    assert waiting(nginx, 1)
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    _assert_untouched(asking.result(20).headers, nginx)


def test_other_spellings_do_not_pass_either(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, ask: Ask, tmp_path: Path
) -> None:
    """Where an operator lets names with underscores pass, CGI cannot tell them from the others."""
    own = tmp_path / "nginx" / "conf.d" / "own.conf"
    own.write_text("underscores_in_headers on;\n")
    make_nginx().start()
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    forged = [(name, "198.51.100.66") for name in twins()]
    seen = ask("GET /headers HTTP/1.1", [("Host", "shop.localhost"), ("a_b", "passes"), *forged])
    assert seen.headers["a_b"] == "passes"
    _assert_untouched(seen.headers, nginx)


def test_websockets_are_told_the_same(nginx: Nginx, serve: Serve, address: Address) -> None:
    server = serve("one")
    nginx.switch(route_to(server.target), [], 30, Quiet())
    forged = "".join(f"{name}: {value}\r\n" for name, value in FORGED.items())
    websocket(address, "shop", forged).close()
    assert server.upgrades == ["websocket"]
    assert server.told["X-Forwarded-For"] == "127.0.0.1"
    assert not {name for name in server.told if name in (*NEVER, *TRUSTED_ONLY)}


@pytest.mark.parametrize("protocol", ["h2c", "H2C", "HTTP/2.0", "TLS/1.0", "h2c, websocket"])
def test_no_upgrade_to_another_http_passes_the_router_by(
    nginx: Nginx, serve: Serve, ask: Ask, protocol: str
) -> None:
    server = serve("one")
    nginx.switch(route_to(server.target), [], 30, Quiet())
    headers = [("Host", "shop.localhost"), ("Upgrade", protocol), ("HTTP2-Settings", "AAMA")]
    seen = ask("GET /headers HTTP/1.1", headers)
    assert (seen.status, server.upgrades) == (200, [])
    assert not {"upgrade", "connection", "http2-settings"} & seen.headers.keys()


# ------------------------------------------------------------- a proxy in front


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({}, {"For": "127.0.0.1", "Proto": "http"}),
        ({"For": "192.0.2.7"}, {"For": "192.0.2.7"}),
        ({"For": "198.51.100.66, 192.0.2.7"}, {"For": "192.0.2.7"}),
        ({"For": "198.51.100.66, 192.0.2.7, 127.0.0.9"}, {"For": "192.0.2.7"}),
        ({"For": "198.51.100.66, unknown"}, {"For": "127.0.0.1"}),
        ({"For": "2001:db8::7"}, {"For": "2001:db8::7"}),
        ({"Proto": "https"}, {"Proto": "https", "Port": "443"}),
        ({"Proto": "HTTPS"}, {"Proto": "https"}),
        ({"Proto": "wss"}, {"Proto": "https"}),
        ({"Proto": "http"}, {"Proto": "http", "Port": "80"}),
        ({"Proto": "http, https"}, {"Proto": "https"}),
        ({"Proto": "gopher"}, {"Proto": "http"}),
        ({"Proto": "https", "Port": "8443"}, {"Proto": "https", "Port": "8443"}),
        ({"Proto": "https", "Port": "8443; x"}, {"Port": "443"}),
        ({"Host": "www.example.com"}, {"Host": "www.example.com"}),
        ({"Host": "www.example.com:8443"}, {"Host": "www.example.com:8443"}),
        ({"Host": "evil.example/?"}, {"Host": "shop.localhost"}),
    ],
)
def test_a_trusted_proxy_is_believed(
    trusting: Nginx, ask: Ask, told: Mapping[str, str], read: Mapping[str, str]
) -> None:
    headers = [(f"X-Forwarded-{name}", value) for name, value in told.items()]
    seen = ask("GET /headers HTTP/1.1", [("Host", "shop.localhost"), *headers])
    assert seen.headers["host"] == "shop.localhost"
    assert seen.headers["x-real-ip"] == seen.headers["x-forwarded-for"]
    assert {name: seen.headers[f"x-forwarded-{name.lower()}"] for name in read} == read


def test_a_trusted_proxys_other_headers_pass_but_for_those_that_nobody_may_send(
    trusting: Nginx, ask: Ask
) -> None:
    others = [(name, f"from {name}") for name in (*TRUSTED_ONLY, *NEVER)]
    seen = ask("GET /headers HTTP/1.1", [("Host", "shop.localhost"), *others])
    assert {name: seen.headers.get(name.lower()) for name in TRUSTED_ONLY} == {
        name: f"from {name}" for name in TRUSTED_ONLY
    }
    assert not {name.lower() for name in NEVER} & seen.headers.keys()


def test_another_address_is_not_believed_where_some_proxy_is_trusted(
    tmp_path: Path, address: Address, nginx: Nginx, serve: Serve, ask: Ask
) -> None:
    trusted = [ip_network("10.0.0.0/8"), ip_network("127.0.0.99"), ip_network("fd00::/8")]
    router = Nginx(tmp_path, SharedFront(address, trusted=trusted), Templates(tmp_path))
    router.start()
    router.switch(route_to(serve("one").target), [], 30, Quiet())
    seen = ask("GET /headers HTTP/1.1", [("Host", "shop.localhost"), *FORGED.items()])
    _assert_untouched(seen.headers, router)


def test_nginx_has_no_warning_about_a_home_with_trusted_proxies(
    trusting: Nginx, tmp_path: Path
) -> None:
    assert "[warn]" not in (tmp_path / "nginx" / "logs" / "error.log").read_text()


def test_twins_are_all_other_spellings() -> None:
    assert twins(["X-Real-IP"]) == ["X-Real_IP", "X_Real-IP", "X_Real_IP"]
    assert twins(["Forwarded"]) == []
    assert not set(twins()) & set(FORGED)
    assert variable("X-Real-IP") == "$http_x_real_ip"
    assert len({name.lower() for name in FORGED}) == len(FORGED)


def _assert_untouched(headers: Mapping[str, str], nginx: Nginx) -> None:
    assert "198.51.100.66" not in headers.values()
    told = {name.lower(): headers.get(name.lower()) for name in WRITTEN}
    assert told.pop("x-request-start", "")
    assert told == {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "shop.localhost",
        "x-forwarded-port": str(nginx._shared.http.port),
        "x-forwarded-proto": "http",
        "x-pushdeploy-app": "shop",
        "x-real-ip": "127.0.0.1",
    }
    assert not {name.lower() for name in (*NEVER, *TRUSTED_ONLY, *twins())} & headers.keys()
