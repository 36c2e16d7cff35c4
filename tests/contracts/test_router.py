"""What every router does, whichever folder of route/routers it stands in."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pushdeploy.domain.container import LogLine
from pushdeploy.domain.errors import RouteFailed
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.output import Output, Quiet
from pushdeploy.route.deadline import until
from tests.authority import Authority
from tests.contracts.routers import Bench
from tests.web_servers import HOURS, Crowd, WebServer, route_to, websocket

Serve = Callable[[str], WebServer]
SWITCHES = 10
SHOP = AppName("shop")


def test_requests_go_where_the_last_switch_has_sent_them(
    routed_somehow: Bench, serve: Serve
) -> None:
    old, new, router = serve("old"), serve("new"), routed_somehow.router
    router.switch(route_to(old.target), [], 30, Quiet())
    assert routed_somehow.ask() == (200, "old")
    router.switch(route_to(new.target, version=2), [old.target], 30, Quiet())
    assert routed_somehow.ask() == (200, "new")
    assert routed_somehow.ask("nobody")[0] == 404


def test_a_switch_that_fails_leaves_the_former_route(routed_somehow: Bench, serve: Serve) -> None:
    one, router = serve("one"), routed_somehow.router
    router.switch(route_to(one.target), [], 30, Quiet())
    with pytest.raises(RouteFailed):
        router.switch(routed_somehow.unusable(), [one.target], 30, Quiet())
    assert routed_somehow.ask() == (200, "one")


def test_new_hosts_are_in_force_though_nobody_answers_and_what_is_held_stays_held(
    routed_somehow: Bench, serve: Serve
) -> None:
    one, router = serve("one"), routed_somehow.router
    router.switch(route_to(one.target), [], 30, Quiet())
    one.kill()
    more = route_to(one.target)
    hosts = [*more.site.hosts, HostName("blog.localhost")]
    more = replace(more, site=replace(more.site, hosts=hosts))
    router.refresh(more)
    assert routed_somehow.ask("blog")[0] != 404
    router.switch(route_to(state="held"), [], 30, Quiet())
    router.refresh(more)
    two = serve("two")
    with ThreadPoolExecutor(1) as background:
        asked = background.submit(routed_somehow.ask, "blog")
        assert routed_somehow.ask("nobody")[0] == 404
        assert not asked.done()
        router.switch(replace(more, targets=[two.target]), [], 30, Quiet())
        assert asked.result(20) == (200, "two")


def test_an_app_without_tasks_is_unavailable_and_a_removed_one_unknown(
    routed_somehow: Bench, serve: Serve
) -> None:
    one, router = serve("one"), routed_somehow.router
    router.switch(route_to(one.target), [], 30, Quiet())
    router.switch(route_to(state="stopped"), [one.target], 30, Quiet())
    assert routed_somehow.ask()[0] == 503
    router.remove(SHOP)
    assert routed_somehow.ask()[0] == 404


def test_what_became_of_requests_goes_with_the_app(routed_somehow: Bench, serve: Serve) -> None:
    one, router = serve("one"), routed_somehow.router
    router.switch(route_to(one.target), [], 30, Quiet())
    log = router.requests(SHOP)
    assert log.last(10) == []
    assert routed_somehow.ask(path="/mine") == (200, "one")
    seen: list[LogLine] = []

    def arrived() -> bool:
        seen.extend(log.news())
        return bool(seen)

    assert until(arrived, 20)
    assert ['path="/mine"' in line.text for line in seen] == [True]
    assert list(log.last(10)) == seen
    log.close()
    router.rename_requests(SHOP, AppName("store"))
    router.remove(SHOP)
    for app, lines in ((SHOP, []), (AppName("store"), seen)):
        log = router.requests(app)
        assert list(log.last(10)) == lines
        log.close()


def test_held_requests_wait_for_the_next_tasks_while_other_apps_are_answered(
    routed_somehow: Bench, serve: Serve
) -> None:
    old, new, router = serve("old"), serve("new"), routed_somehow.router
    router.routes([route_to(old.target), route_to(new.target, app="blog")])
    with ThreadPoolExecutor(1) as background:
        with router.hold(route_to(old.target), [old.target], 30, Quiet()):
            old.kill()
            asked = background.submit(routed_somehow.ask)
            assert routed_somehow.ask("blog") == (200, "new")
            assert not asked.done()
        assert routed_somehow.ask("blog") == (200, "new")
        assert not asked.done()
        router.switch(route_to(new.target, version=2), [], 30, Quiet())
        assert asked.result(20) == (200, "new")


def test_requests_that_are_held_without_an_end_wait_for_a_switch_or_for_the_routes(
    routed_somehow: Bench, serve: Serve
) -> None:
    one, router = serve("one"), routed_somehow.router
    router.switch(route_to(one.target), [], 30, Quiet())
    ways: list[Callable[[], None]] = [
        lambda: router.switch(route_to(one.target), [], 30, Quiet()),
        lambda: router.routes([route_to(one.target), route_to(one.target, app="blog")]),
    ]
    for go_on in ways:
        router.switch(route_to(state="held"), [one.target], 30, Quiet())
        with ThreadPoolExecutor(1) as background:
            asked = background.submit(routed_somehow.ask)
            assert routed_somehow.ask("nobody")[0] == 404
            assert not asked.done()
            go_on()
            assert asked.result(20) == (200, "one")


def test_there_are_exactly_the_routes_that_are_wanted(routed_somehow: Bench, serve: Serve) -> None:
    one, two, router = serve("one"), serve("two"), routed_somehow.router
    router.routes([route_to(one.target, app=app) for app in ("gone", "shop")])
    router.routes([route_to(two.target, app=app) for app in ("shop", "blog")])
    assert [routed_somehow.ask(app)[0] for app in ("gone", "shop", "blog")] == [404, 200, 200]
    assert routed_somehow.ask() == (200, "two")


def test_a_challenge_is_answered_on_every_host_in_every_state(
    routed_somehow: Bench, serve: Serve
) -> None:
    one, router = serve("one"), routed_somehow.router
    path = "/.well-known/acme-challenge/tok-En_1"
    router.routes(
        [
            route_to(one.target),
            route_to(app="idle", state="stopped"),
            route_to(app="new", state="empty", version=None),
            route_to(app="busy", state="held"),
        ]
    )
    router.challenge("tok-En_1", "tok-En_1.thumbprint")
    for app in ("shop", "idle", "new", "busy", "nobody"):
        assert routed_somehow.ask(app, path) == (200, "tok-En_1.thumbprint"), app
    assert routed_somehow.ask("shop", f"{path}2") == (200, "one")
    assert routed_somehow.ask("nobody", f"{path}2")[0] == 404
    router.challenge("tok-En_1", None)
    assert routed_somehow.ask("shop", path) == (200, "one")


def test_the_doctor_finds_nothing_wrong_with_a_router_that_runs(routed_somehow: Bench) -> None:
    assert all(finding.ok for finding in routed_somehow.router.examine(serving=True))


def test_the_next_server_adopts_what_routes_already(routed: Bench, serve: Serve) -> None:
    old, new = serve("old"), serve("new")
    routed.router.switch(route_to(old.target), [], 30, Quiet())
    successor = routed.successor()
    successor.start()
    assert routed.ask() == (200, "old")
    successor.switch(route_to(new.target, version=2), [old.target], 30, Quiet())
    old.kill()
    assert routed.ask() == (200, "new")


def test_holding_begins_when_the_last_request_at_the_old_tasks_is_answered(
    routed: Bench, serve: Serve
) -> None:
    old = serve("old")
    routed.router.switch(route_to(old.target), [], 30, Quiet())
    with ThreadPoolExecutor(1) as background:
        slow = background.submit(routed.ask, path="/slow/1")
        assert old.arrived.wait(10)
        with routed.router.hold(route_to(old.target), [old.target], 30, Quiet()):
            old.kill()
        assert slow.result(10) == (200, "old")


@pytest.mark.slow
def test_ten_switches_lose_no_request_of_keep_alive_visitors_with_a_slow_one_in_flight(
    routed: Bench, serve: Serve
) -> None:
    server = serve("v0")
    routed.router.switch(route_to(server.target), [], 30, Quiet())
    busy, slow = Crowd(), Crowd()
    with (
        busy.visiting(routed.address, "shop.localhost", [0.0, 0.005, 0.01, 0.02, 0.1, 0.4]),
        slow.visiting(routed.address, "shop.localhost", [0.0], path="/slow/2"),
    ):
        for number in range(1, SWITCHES + 1):
            assert server.arrived.wait(10)
            old, server = server, serve(f"v{number}")
            routed.router.switch(route_to(server.target), [old.target], 30, Quiet())
            old.kill()
    assert busy.lost == []
    assert slow.lost == []
    assert {f"v{number}" for number in range(SWITCHES + 1)} <= busy.answers.keys()
    assert len(slow.answers) >= SWITCHES


def test_a_connection_opened_before_and_used_after_the_switch_reaches_the_new_tasks(
    routed: Bench, serve: Serve
) -> None:
    """As browsers do, which open connections before they need them."""
    old, new = serve("old"), serve("new")
    routed.router.switch(route_to(old.target), [], 30, Quiet())
    place = routed.address.host, routed.address.port
    early = [socket.create_connection(place) for _ in range(8)]
    assert routed.ask() == (200, "old")
    routed.router.switch(route_to(new.target), [old.target], 0, Quiet())
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
    routed: Bench, serve: Serve
) -> None:
    old, new = serve("old"), serve("new")
    routed.router.switch(route_to(old.target), [], 30, Quiet())
    with ThreadPoolExecutor(1) as background:
        slow = background.submit(routed.ask, path="/slow/1")
        assert old.arrived.wait(10)
        routed.router.switch(route_to(new.target), [old.target], HOURS, Quiet())
        assert old.sent.is_set()
        assert slow.result(10) == (200, "old")


def test_a_websocket_of_the_app_is_waited_for_until_the_drain_time_is_over(
    routed: Bench, serve: Serve
) -> None:
    old, new, said = serve("old"), serve("new"), list[str]()
    routed.router.switch(route_to(old.target), [], 30, Quiet())
    with websocket(routed.address, "shop") as talk:
        started = time.monotonic()
        routed.router.switch(route_to(new.target), [old.target], 1, Output(said.append))
        assert time.monotonic() - started >= 1
        assert said[-1] == "       1 connection was still open to the former tasks after 1.00s"
        talk.sendall(b"still here")
        assert talk.recv(100) == b"still here"
        assert routed.ask() == (200, "new")


def test_switches_of_five_apps_at_once_all_arrive(routed: Bench, serve: Serve) -> None:
    apps = [f"app{number}" for number in range(5)]
    old = serve("old").target
    routed.router.routes([route_to(old, app=app) for app in apps])
    targets = {app: serve(app).target for app in apps}
    with ThreadPoolExecutor(5) as threads:
        jobs = [
            threads.submit(routed.router.switch, route_to(target, app=app), [old], 30, Quiet())
            for app, target in targets.items()
        ]
        for job in jobs:
            job.result(60)
    assert [routed.ask(app)[1] for app in apps] == apps


def test_each_host_is_shown_by_its_own_certificate_and_a_new_one_by_none_that_is_trusted(
    routed_somehow: Bench, serve: Serve
) -> None:
    router, shown = routed_somehow.router, routed_somehow.certificate
    router.switch(route_to(serve("one").target), [], 30, Quiet())
    stand_in = shown("shop.localhost")
    assert stand_in is not None
    assert shown("blog.localhost") is None
    authority = Authority()
    first, second = authority.sign("shop.localhost"), authority.sign("shop.localhost")
    shop, blog = HostName("shop.localhost"), HostName("blog.localhost")
    router.certificates({shop: first.pem, blog: None})
    assert until(lambda: shown(shop) == first.der, 10)
    router.switch(route_to(serve("two").target, app="blog"), [], 30, Quiet())
    assert shown(blog) == stand_in
    router.certificates({shop: second.pem, blog: None})
    assert until(lambda: shown(shop) == second.der, 10)
    router.certificates({shop: None, blog: None})
    assert until(lambda: shown(shop) == stand_in, 10)
