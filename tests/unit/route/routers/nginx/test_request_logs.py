"""Router lines: each request of an app has one, with the code of what went wrong."""

import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pushdeploy.domain.container import LogLine
from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.names import AppName
from pushdeploy.domain.route import Target
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.request_logs import read_places
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from tests.unit.route.routers.nginx.holding import SHOP, Serve, Visit
from tests.web_servers import WebServer, route_to, websocket

PATIENT = FrontSettings(read_timeout_seconds=1)


class Reader:
    """One who follows the router lines of an app."""

    def __init__(self, router: Nginx, app: AppName = SHOP) -> None:
        self.log = router.requests(app)
        self.log.last(0)

    def next(self) -> str:
        """The only line that has come since."""
        seen: list[str] = []

        def arrived() -> bool:
            seen.extend(each.text for each in self.log.news())
            return bool(seen)

        assert until(arrived, 20)
        (line,) = seen
        return line


def fields(line: str) -> dict[str, str]:
    found = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line)
    return {name: value.strip('"') for name, value in found}


@pytest.fixture
def reader(nginx: Nginx) -> Iterator[Reader]:
    made = Reader(nginx)
    yield made
    made.log.close()


@contextmanager
def talking(address: Address, text: str) -> Iterator[socket.socket]:
    with socket.create_connection((address.host, address.port), timeout=20) as talk:
        talk.sendall(text.encode())
        yield talk


def asked(path: str) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: shop.localhost\r\n\r\n"


def at(server: WebServer, place: str = "web.1") -> Target:
    return Target(server.target.address, server.target.port, place)


def code(line: str) -> str | None:
    return fields(line).get("code")


# ------------------------------------------------------------- what stands in a line


def test_a_line_tells_of_a_request_as_heroku_does(
    nginx: Nginx, serve: Serve, visit: Visit, reader: Reader
) -> None:
    nginx.switch(route_to(at(serve("one"), "web.2")), [], 30, Quiet())
    visit("shop").get("/a?token=hush", X_Request_Id="0123456789-0123456789")
    line = reader.next()
    assert re.fullmatch(
        r'at=info method=GET path="/a" host=shop\.localhost request_id=0123456789-0123456789'
        r' fwd="127\.0\.0\.1" dyno=web\.2 connect=\d+ms service=\d+ms status=200 bytes=3'
        r" protocol=http",
        line,
    ), line


def test_the_lines_of_a_switch_are_its_visitors_alone(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    """The router asks the new tasks too, and no visitor has done that."""
    for name in ("one", "two"):
        nginx.switch(route_to(at(serve(name))), [], 30, Quiet())
    visit("shop").get("/mine")
    log = nginx.requests(SHOP)
    assert until(lambda: len(log.last(10)) == 1, 20)
    log.close()


def test_what_a_visitor_writes_does_not_look_like_another_field(
    nginx: Nginx, serve: Serve, address: Address, reader: Reader
) -> None:
    nginx.switch(route_to(at(serve("one"))), [], 30, Quiet())
    odd = '/"%20code=H10\\"\x1b[31m'.replace("\x1b", "%1b")
    with talking(address, asked(odd + "é")) as talk:
        received = b""  # whoever closes before all of it is there is a visitor who has left
        while b"one" not in received:
            received += talk.recv(65536)
    read = fields(reader.next())
    assert "code" not in read
    assert read["path"].replace("\\\\", "\\").replace('\\"', '"') == odd + "é"


def test_each_task_is_named_also_when_its_address_has_a_new_owner(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    one, log = serve("one"), nginx.requests(SHOP)
    for place in ("web.1", "web.2"):
        nginx.switch(route_to(at(one, place)), [], 30, Quiet())
        visit("shop").get(f"/{place}")
        assert until(lambda: paths(log.last(2))[-1:] == [f"/{place}"], 20)  # noqa: B023
    assert [fields(line.text)["dyno"] for line in log.last(2)] == ["web.1", "web.2"]
    log.close()


def test_many_places_are_not_kept_for_ever(nginx: Nginx, serve: Serve, tmp_path: Path) -> None:
    one = serve("one")
    for number in range(300):
        nginx._request_logs.note(route_to(at(one, f"web.{number}")))
    places = read_places(tmp_path / "nginx" / "logs" / "apps" / "shop.places")
    assert (len(places), places[-1][2]) == (200, "web.299")


# ------------------------------------------------------------- what went wrong


def test_h10_the_app_has_crashed(nginx: Nginx, serve: Serve, visit: Visit, reader: Reader) -> None:
    one = serve("one")
    nginx.switch(route_to(at(one)), [], 30, Quiet())
    one.kill()
    assert visit("shop").get()[0] == 502
    read = fields(reader.next())
    assert (read["at"], read["code"], read["desc"]) == ("error", "H10", "App crashed")
    assert (read["dyno"], read["connect"], read["status"]) == ("web.1", "", "502")


def test_h12_the_app_says_nothing(nginx: Nginx, serve: Serve, visit: Visit, reader: Reader) -> None:
    nginx.switch(route_to(at(serve("one")), settings=PATIENT), [], 30, Quiet())
    assert visit("shop").get("/slow/3")[0] == 504
    read = fields(reader.next())
    assert (read["code"], read["desc"], read["dyno"]) == ("H12", "Request timeout", "web.1")
    assert int(read["service"].removesuffix("ms")) >= 1000


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "H13"),
        (b"HTTP/1.1 200 OK\r\nX: broken off", "H13"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000, "H17"),
        (b"HTTP/1.1 2OO OK\r\n\r\n", "H17"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "H17"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", "H18"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "H18"),
    ],
)
def test_h13_h17_h18_the_app_breaks_off_or_speaks_no_http(
    nginx: Nginx, serve: Serve, address: Address, reader: Reader, raw: bytes, expected: str
) -> None:
    server = serve("one")
    server.raw = raw
    nginx.switch(route_to(at(server)), [], 30, Quiet())
    with talking(
        address, asked("/raw").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    ) as talk:
        while talk.recv(65536):
            pass
    assert code(reader.next()) == expected


def test_h15_the_app_falls_silent_within_its_answer(
    nginx: Nginx, serve: Serve, address: Address, reader: Reader
) -> None:
    nginx.switch(route_to(at(serve("one")), settings=PATIENT), [], 30, Quiet())
    with talking(address, asked("/events/chunked")) as talk:
        while talk.recv(65536):
            pass
    assert code(reader.next()) == "H15"


def test_h14_h81_nothing_runs_or_was_ever_pushed(
    nginx: Nginx, visit: Visit, reader: Reader
) -> None:
    nginx.switch(route_to(state="stopped"), [], 30, Quiet())
    assert visit("shop").get()[0] == 503
    line = reader.next()
    assert (code(line), fields(line)["dyno"], fields(line)["service"]) == ("H14", "", "")
    nginx.switch(route_to(state="empty", version=None), [], 30, Quiet())
    assert visit("shop").get()[0] == 503
    assert code(reader.next()) == "H81"


@pytest.mark.parametrize("page", [None, "<p>back soon</p>"])
def test_h80_the_app_is_closed_for_maintenance(
    nginx: Nginx, serve: Serve, visit: Visit, reader: Reader, page: str | None
) -> None:
    route = route_to(at(serve("one")))
    rules = FrontRules(maintenance=Maintenance(page))
    nginx.switch(replace(route, site=replace(route.site, rules=rules)), [], 30, Quiet())
    assert visit("shop").get()[0] == 503
    line = reader.next()
    assert (code(line), fields(line)["dyno"]) == ("H80", "")


def test_h19_nobody_takes_the_connection(nginx: Nginx, visit: Visit, reader: Reader) -> None:
    """A queue of connections that is full: the kernel does not answer any more."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        target = Target("127.0.0.1", full.getsockname()[1], "web.1")
        nginx.routes([route_to(target)])
        assert visit("shop").get()[0] in {502, 504}
        line = reader.next()
    assert (code(line), fields(line)["connect"]) == ("H19", "")


def test_h20_requests_have_waited_in_vain(hurried: Nginx, visit: Visit) -> None:
    reader = Reader(hurried)
    hurried.switch(route_to(state="held"), [], 30, Quiet())
    assert visit("shop").get()[0] == 503
    line = reader.next()
    assert (code(line), fields(line)["dyno"]) == ("H20", "")
    reader.log.close()


@pytest.mark.parametrize("path", ["/slow/5", "/events/chunked", "/events/length"])
def test_h27_the_client_has_gone(
    nginx: Nginx, serve: Serve, address: Address, reader: Reader, path: str
) -> None:
    server = serve("one")
    nginx.switch(route_to(at(server)), [], 30, Quiet())
    server.go_on.release()
    with talking(address, asked(path)) as talk:
        if path.startswith("/slow"):
            assert server.arrived.wait(20)
        else:
            assert talk.recv(65536)
    line = reader.next()
    assert (code(line), fields(line)["at"]) == ("H27", "warning")


def test_h28_a_client_does_not_send_what_it_has_announced(
    nginx: Nginx, serve: Serve, address: Address, reader: Reader, tmp_path: Path
) -> None:
    own = tmp_path / "templates" / "nginx" / "front"
    own.mkdir(parents=True)
    (own / "limits.conf").write_text("client_body_timeout 1s;\n")
    nginx.switch(route_to(at(serve("one"))), [], 30, Quiet())
    head = "POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 10\r\n\r\npart"
    with talking(address, head) as talk:
        while talk.recv(65536):
            pass
    assert code(reader.next()) == "H28"


@pytest.mark.parametrize("status", [200, 404, 500, 502, 503, 504])
def test_what_the_app_answers_is_no_trouble_of_the_router(
    nginx: Nginx, serve: Serve, visit: Visit, reader: Reader, status: int
) -> None:
    server = serve("one")
    server.raw = f"HTTP/1.1 {status} Its own\r\nContent-Length: 2\r\n\r\nok".encode()
    nginx.switch(route_to(at(server)), [], 30, Quiet())
    assert visit("shop").get("/raw")[0] == status
    line = reader.next()
    assert (code(line), fields(line)["status"]) == (None, str(status))


@pytest.mark.parametrize("status", [204, 304])
def test_nor_are_answers_without_a_body(
    nginx: Nginx, serve: Serve, visit: Visit, reader: Reader, status: int
) -> None:
    server = serve("one")
    server.raw = f"HTTP/1.1 {status} None\r\n\r\n".encode()
    nginx.switch(route_to(at(server)), [], 30, Quiet())
    assert visit("shop").get("/raw")[0] == status
    assert code(reader.next()) is None


def test_a_websocket_has_its_line_when_it_is_over(
    nginx: Nginx, serve: Serve, address: Address, reader: Reader
) -> None:
    nginx.switch(route_to(at(serve("one"))), [], 30, Quiet())
    with websocket(address, "shop") as talk:
        talk.sendall(b"hello")
        assert talk.recv(100) == b"hello"
    read = fields(reader.next())
    assert (read["status"], read.get("code"), read["path"]) == ("101", None, "/socket")


def test_asking_for_a_page_of_ours_is_nothing_but_not_found(
    nginx: Nginx, serve: Serve, visit: Visit, reader: Reader
) -> None:
    nginx.switch(route_to(at(serve("one"))), [], 30, Quiet())
    assert visit("shop").get("/.pushdeploy/held.txt")[0] == 404
    assert code(reader.next()) is None


# ------------------------------------------------------------- how long lines last


def test_lines_survive_a_switch_another_router_and_being_set_aside(
    nginx: Nginx, make_nginx: Callable[[], Nginx], serve: Serve, visit: Visit
) -> None:
    first = visit("shop")
    nginx.switch(route_to(at(serve("one"))), [], 30, Quiet())
    first.get("/1")
    nginx.rotate_logs(largest_of_an_app_bytes=1)
    nginx.switch(route_to(at(serve("two")), version=2), [], 30, Quiet())
    visit("shop").get("/2")
    later = make_nginx()
    later.start()
    log = later.requests(SHOP)
    assert until(lambda: paths(log.last(100)) == ["/1", "/2"], 20), paths(log.last(100))
    assert paths(log.last(1)) == ["/2"]
    log.close()


def test_a_reader_goes_on_with_the_next_file(
    nginx: Nginx, serve: Serve, visit: Visit, reader: Reader
) -> None:
    nginx.switch(route_to(at(serve("one"))), [], 30, Quiet())
    for number in range(3):
        visit("shop").get(f"/{number}")
        assert fields(reader.next())["path"] == f"/{number}"
        nginx.rotate_logs(largest_of_an_app_bytes=1)


def test_the_lines_of_an_app_go_with_it_and_follow_its_name(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    logs = tmp_path / "nginx" / "logs" / "apps"
    one = at(serve("one"))
    nginx.routes([route_to(one), route_to(one, app="blog")])
    visit("shop").get("/1")
    past = nginx.requests(SHOP)
    assert until(lambda: bool(past.last(1)), 20)
    past.close()
    nginx.switch(route_to(one, app="store"), [], 30, Quiet())
    nginx.rename_requests(SHOP, AppName("store"))
    nginx.remove(SHOP)
    kept = nginx.requests(AppName("store"))
    assert [fields(line.text)["dyno"] for line in kept.last(10)] == ["web.1"]
    kept.close()
    assert {path.name.split(".")[0] for path in logs.iterdir()} == {"blog", "store"}
    nginx.routes([route_to(one, app="store")])
    assert {path.name.split(".")[0] for path in logs.iterdir()} == {"store"}


def test_damaged_lines_are_left_out(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    nginx.switch(route_to(at(serve("one"))), [], 30, Quiet())
    log = tmp_path / "nginx" / "logs" / "apps" / "shop.log"
    with log.open("ab") as file:
        file.write(b'{"at":"1.0","meth\n\x00\x00\x00\n{}\n[]\n{"at":3}\n\xff\xfe\n')
    visit("shop").get("/whole")
    reader = nginx.requests(SHOP)
    assert until(lambda: paths(reader.last(10)) == ["/whole"], 20)
    reader.close()


def test_a_thousand_apps_have_a_file_each(nginx: Nginx, serve: Serve, visit: Visit) -> None:
    one = at(serve("one"))
    nginx.routes([route_to(one, app=f"app{number}") for number in range(1000)])
    assert visit("app999").get("/last")[0] == 200
    nginx.switch(route_to(one, app="app500", version=2), [], 30, Quiet())
    log = nginx.requests(AppName("app999"))
    assert until(lambda: len(log.last(10)) == 1, 20)
    log.close()


def paths(lines: Sequence[LogLine]) -> list[str]:
    return [fields(line.text)["path"] for line in lines]
