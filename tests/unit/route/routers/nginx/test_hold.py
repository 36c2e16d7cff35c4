"""Requests wait while an app's tasks are exchanged: held, passed on, and at last told to come back.

The app's own tasks die at once when they are told to stop, the hardest case for whoever asks.
"""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from pushdeploy.output import Output, Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.route.routers.nginx.workers import workers_in
from pushdeploy.settings import Address
from tests.unit.route.routers.nginx.holding import (
    SHOP,
    Serve,
    Visit,
    answered_by,
    memory_kilobytes,
    waiting,
    waiting_at_least,
)
from tests.web_servers import Crowd, Visitor, route_to, websocket


def test_requests_of_any_method_wait_for_the_next_tasks(
    nginx: Nginx,
    serve: Serve,
    visit: Visit,
    background: ThreadPoolExecutor,
    output: Output,
    said: list[str],
) -> None:
    old, new = serve("old"), serve("new")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    with nginx.hold(route_to(old.target), [old.target], 30, Quiet()):
        old.kill()
        got = background.submit(visit("shop").get)
        posted = background.submit(visit("shop").post, b"x" * 300_000)
        assert waiting(nginx, 2)
    assert waiting(nginx, 2)
    nginx.switch(route_to(new.target, version=2), [], 30, output)
    assert got.result(10)[::2] == (200, "new")
    assert posted.result(10)[::2] == (200, "300000 bytes")
    assert visit("shop").get()[2] == "new"
    assert said == ["       traffic goes to v2"]
    assert until(lambda: nginx._holds.find(SHOP) is None, 10)
    assert list((nginx._prefix.holders).iterdir()) == []


def test_a_websocket_at_the_old_tasks_is_waited_for_no_longer_than_the_drain_time(
    nginx: Nginx, serve: Serve, address: Address, output: Output, said: list[str]
) -> None:
    old = serve("old")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    with websocket(address, "shop"):
        started = time.monotonic()
        with nginx.hold(route_to(old.target), [old.target], 1, output):
            assert time.monotonic() - started >= 1
    assert said == ["       1 connection was still open to the former tasks after 1.00s"]


def test_an_idle_client_of_an_old_worker_posts_to_a_dead_task_and_loses_nothing(
    nginx: Nginx, serve: Serve, address: Address, background: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """The old workers know only the task that dies at once; nothing sends a seen POST again."""
    old, new = serve("old"), serve("new")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    visitors = [Visitor(address, "shop.localhost") for _ in range(20)]
    for visitor in visitors:
        visitor.get()
    kept = [visitor.connection.sock for visitor in visitors]
    with nginx.hold(route_to(old.target), [old.target], 30, Quiet()):
        assert any(worker.leaving for worker in workers_in(tmp_path / "nginx"))
        first = [background.submit(v.post, b"abc") for v in visitors[:10]]
        assert waiting(nginx, 10)
        assert not old.posts
        old.kill()
        second = [background.submit(v.post, b"abc") for v in visitors[10:]]
        assert waiting(nginx, 20)
    assert [visitor.connection.sock for visitor in visitors] == kept
    nginx.switch(route_to(new.target, version=2), [], 30, Quiet())
    assert {job.result(20)[::2] for job in first + second} == {(200, "3 bytes")}
    for visitor in visitors:
        visitor.connection.close()


@pytest.mark.slow
def test_without_a_firewall_the_old_workers_idle_clients_are_waited_for(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor, tmp_path: Path
) -> None:
    nginx._firewall._chain = "a name that iptables does not take"
    old = serve("old")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    visitor = visit("shop")
    visitor.get()

    def hold_and_stop() -> int:
        with nginx.hold(route_to(old.target), [old.target], 30, Quiet()):
            old.kill()
            return sum(worker.leaving for worker in workers_in(tmp_path / "nginx"))

    holding = background.submit(hold_and_stop)
    assert until(lambda: any(w.leaving for w in workers_in(tmp_path / "nginx")), 20)
    assert visitor.post(b"abc")[::2] == (200, "3 bytes")
    assert holding.result(30) == 0


@pytest.mark.slow
def test_two_hundred_visitors_lose_nothing_over_five_exchanges(
    nginx: Nginx, serve: Serve, address: Address
) -> None:
    server = serve("v0")
    nginx.switch(route_to(server.target, version=0), [], 30, Quiet())
    crowd = Crowd()
    pauses = [0.0] * 8 + [0.01 * (number % 150) for number in range(192)]
    with crowd.visiting(address, "shop.localhost", pauses):
        for version in range(1, 6):
            assert until(partial(answered_by, crowd, server.name), 30)
            old = server
            with nginx.hold(route_to(old.target, version=version - 1), [old.target], 30, Quiet()):
                old.kill()
            assert waiting_at_least(nginx, 20)
            server = serve(f"v{version}")
            nginx.switch(route_to(server.target, version=version), [], 30, Quiet())
        assert until(partial(answered_by, crowd, server.name), 30)
    assert crowd.lost == []


def test_a_thousand_requests_wait_and_are_all_answered(
    nginx: Nginx, serve: Serve, address: Address
) -> None:
    old, new = serve("old"), serve("new")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    ask = b"GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n"
    with nginx.hold(route_to(old.target), [old.target], 30, Quiet()):
        old.kill()
        clients = [socket.create_connection((address.host, address.port)) for _ in range(1000)]
        for client in clients:
            client.sendall(ask)
        assert waiting(nginx, 1000)
        memory = memory_kilobytes(nginx)
    nginx.switch(route_to(new.target, version=2), [], 30, Quiet())
    answers = []
    for client in clients:
        client.settimeout(20)
        with client, client.makefile("rb") as answer:
            answers.append(answer.read().rpartition(b"\r\n")[2])
    assert answers == [b"new"] * 1000
    assert memory < 40_000


def test_holding_one_app_does_not_touch_another(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    shared = serve("both").target
    nginx.routes([route_to(shared), route_to(shared, app="blog")])
    with nginx.hold(route_to(shared), [], 30, Quiet()):
        assert visit("blog").get()[2] == "both"
        asked = background.submit(visit("shop").get)
        assert waiting(nginx, 1)
        nginx.switch(route_to(shared, app="blog", version=2), [shared], 30, Quiet())
        assert visit("blog").post(b"abc")[2] == "3 bytes"
        assert waiting(nginx, 1)
    nginx.switch(route_to(shared), [], 30, Quiet())
    assert asked.result(10)[2] == "both"


def test_an_app_that_is_held_twice_is_held_once_and_let_go_by_one_switch(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    one = serve("one").target
    with nginx.hold(route_to(one), [one], 30, Quiet()):
        asked = background.submit(visit("shop").get)
        assert waiting(nginx, 1)
        with nginx.hold(route_to(one), [one], 30, Quiet()):
            assert waiting(nginx, 1)
    nginx.switch(route_to(one), [], 30, Quiet())
    assert asked.result(10)[2] == "one"


def test_a_switch_to_a_held_route_holds(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    one = serve("one").target
    nginx.switch(route_to(one), [], 30, Quiet())
    nginx.switch(route_to(state="held"), [one], 30, Quiet())
    asked = background.submit(visit("shop").get)
    assert waiting(nginx, 1)
    nginx.switch(route_to(state="held"), [], 30, Quiet())
    assert waiting(nginx, 1)
    nginx.switch(route_to(one), [], 30, Quiet())
    assert asked.result(10)[2] == "one"


def test_a_client_that_has_gone_is_not_passed_on(
    nginx: Nginx, serve: Serve, address: Address
) -> None:
    new = serve("new")
    with nginx.hold(route_to(), [], 30, Quiet()):
        client = socket.create_connection((address.host, address.port))
        client.sendall(b"GET /slow/0 HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
        assert waiting(nginx, 1)
        client.close()
        assert waiting(nginx, 0)
    nginx.switch(route_to(new.target), [], 30, Quiet())
    assert not new.arrived.is_set()


def test_websockets_and_slow_bodies_go_through_the_holder(
    nginx: Nginx, serve: Serve, address: Address, background: ThreadPoolExecutor
) -> None:
    new = serve("new")
    with nginx.hold(route_to(), [], 30, Quiet()):
        talking = background.submit(websocket, address, "shop")
        assert waiting(nginx, 1)
        slow = socket.create_connection((address.host, address.port))
        slow.sendall(b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked\r\n")
        slow.sendall(b"Connection: close\r\n\r\n3\r\nabc\r\n")
    nginx.switch(route_to(new.target, version=2), [], 30, Quiet())
    slow.sendall(b"3\r\ndef\r\n0\r\n\r\n")
    with slow, slow.makefile("rb") as answer:
        assert answer.read().endswith(b"\r\n6 bytes")
    with talking.result(10) as talk:
        talk.sendall(b"hello")
        assert talk.recv(100) == b"hello"
