"""No request is lost in a switch: kept connections, slow answers, websockets."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pushdeploy.output import Output, Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.route.routers.nginx.workers import workers_in
from pushdeploy.settings import Address
from tests.unit.route.routers.nginx.web_servers import Crowd, Visitor, WebServer, route_to

Serve = Callable[[str], WebServer]
Visit = Callable[[str], Visitor]
SWITCHES = 10


@pytest.mark.slow
def test_ten_switches_lose_no_request_of_keep_alive_visitors_with_a_slow_one_in_flight(
    nginx: Nginx, serve: Serve, address: Address
) -> None:
    server = serve("v0")
    nginx.switch(route_to(server.target), [], 30, Quiet())
    busy, slow = Crowd(), Crowd()
    with (
        busy.visiting(address, "shop.localhost", [0.0, 0.005, 0.01, 0.02, 0.1, 0.4]),
        slow.visiting(address, "shop.localhost", [0.0], path="/slow/2"),
    ):
        for number in range(1, SWITCHES + 1):
            assert server.arrived.wait(10)
            old, server = server, serve(f"v{number}")
            nginx.switch(route_to(server.target), [old.target], 30, Quiet())
            old.kill()
    assert busy.lost == []
    assert slow.lost == []
    assert {f"v{number}" for number in range(SWITCHES + 1)} <= busy.answers.keys()
    assert len(slow.answers) >= SWITCHES


def test_a_visitor_that_idles_through_the_switch_is_answered_on_its_old_connection(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    old, new = serve("old"), serve("new")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    visitor = visit("shop")
    visitor.get()
    kept = visitor.connection.sock
    switching = _in_background(
        lambda: nginx.switch(route_to(new.target), [old.target], 30, Quiet())
    )
    assert until(lambda: any(w.leaving for w in workers_in(tmp_path / "nginx")), 10)
    assert visitor.get()[0] == 200
    assert visitor.connection.sock in {kept, None}
    switching.join(30)
    old.kill()
    assert visitor.get()[2] == "new"


def test_a_connection_opened_before_and_used_after_the_switch_reaches_the_new_tasks(
    nginx: Nginx, serve: Serve, address: Address
) -> None:
    """As browsers do, which open connections before they need them."""
    old, new = serve("old"), serve("new")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    early = [socket.create_connection((address.host, address.port)) for _ in range(8)]
    assert _one_answer(address) == "old"
    nginx.switch(route_to(new.target), [old.target], 0, Quiet())
    old.kill()
    answers = []
    for connection in early:
        with connection, connection.makefile("rb") as answer:
            connection.sendall(
                b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 3\r\n\r\nabc"
            )
            answers.append(answer.readline())
    assert answers == [b"HTTP/1.1 200 OK\r\n"] * 8


def test_a_switch_returns_when_the_last_slow_request_is_answered(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    old, new = serve("old"), serve("new")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    slow = visit("shop")
    answers: list[tuple[str, float]] = []
    asking = _in_background(lambda: answers.append((slow.get("/slow/1")[2], time.monotonic())))
    assert old.arrived.wait(10)
    nginx.switch(route_to(new.target), [old.target], 30, Quiet())
    returned = time.monotonic()
    asking.join(10)
    assert answers[0][0] == "old"
    assert 0 < returned - answers[0][1] < 2


def test_a_websocket_of_the_app_is_waited_for_until_the_drain_time_is_over(
    nginx: Nginx, serve: Serve, address: Address, output: Output, said: list[str]
) -> None:
    old, new = serve("old"), serve("new")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    with _websocket(address, "shop") as talk:
        started = time.monotonic()
        nginx.switch(route_to(new.target), [old.target], 1, output)
        assert 1 <= time.monotonic() - started < 4
        assert said[-1] == "       1 connection was still open to the former tasks after 1.00s"
        talk.sendall(b"still here")
        assert talk.recv(100) == b"still here"
        assert _one_answer(address) == "new"


def test_a_websocket_of_another_app_costs_a_switch_five_seconds_at_most_and_is_not_cut(
    nginx: Nginx, serve: Serve, address: Address
) -> None:
    old, new, other = serve("old"), serve("new"), serve("other")
    nginx.routes([route_to(old.target), route_to(other.target, app="chat")])
    with _websocket(address, "chat") as talk:
        started = time.monotonic()
        nginx.switch(route_to(new.target), [old.target], 30, Quiet())
        # The old workers that it pins may still have had an idle client of the app's.
        assert 4 < time.monotonic() - started < 8
        talk.sendall(b"ping")
        assert talk.recv(100) == b"ping"


def test_switches_of_five_apps_at_once_all_arrive(nginx: Nginx, serve: Serve, visit: Visit) -> None:
    apps = [f"app{number}" for number in range(5)]
    old = serve("old").target
    nginx.routes([route_to(old, app=app) for app in apps])
    targets = {app: serve(app).target for app in apps}
    with ThreadPoolExecutor(5) as threads:
        jobs = [
            threads.submit(nginx.switch, route_to(target, app=app), [old], 30, Quiet())
            for app, target in targets.items()
        ]
        for job in jobs:
            job.result(60)
    assert [visit(app).get()[2] for app in apps] == apps


def _in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def _one_answer(address: Address) -> str:
    visitor = Visitor(address, "shop.localhost")
    try:
        return visitor.get()[2]
    finally:
        visitor.connection.close()


def _websocket(address: Address, app: str) -> socket.socket:
    talk = socket.create_connection((address.host, address.port), timeout=10)
    talk.sendall(
        f"GET /socket HTTP/1.1\r\nHost: {app}.localhost\r\n".encode()
        + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += talk.recv(1000)
    assert head.startswith(b"HTTP/1.1 101 ")
    return talk
