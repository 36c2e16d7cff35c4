"""Holding when something breaks, takes too long, or is refused: nobody is left to wait for ever."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pushdeploy.domain.errors import BackendDown, RouteFailed
from pushdeploy.domain.names import AppName
from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.router import Nginx
from tests.unit.route.routers.nginx.conftest import MakeNginx
from tests.unit.route.routers.nginx.holding import SHOP, Serve, Visit, firewall, waiting
from tests.web_servers import route_to


def test_a_held_request_that_has_waited_too_long_is_told_to_come_back(
    hurried: Nginx, visit: Visit
) -> None:
    with hurried.hold(route_to(), [], 30, Quiet()):
        started = time.monotonic()
        status, headers, body = visit("shop").get()
        assert time.monotonic() - started >= 1
        assert (status, headers["Retry-After"]) == (503, "5")
        assert headers["X-Pushdeploy-Error"] == "503"
        assert len(headers.get_all("X-Request-Id") or ()) == 1
        assert headers["Content-Type"] == "text/plain; charset=utf-8"
        assert body.startswith("503 The app is being updated")
        assert "<h1>The app is being updated</h1>" in visit("shop").get(Accept="text/html")[2]
        assert visit("shop").post(b"x" * 1_000_000)[0] == 503


def test_other_pages_ask_nobody_to_come_back(nginx: Nginx, visit: Visit) -> None:
    assert visit("nobody").get()[1]["Retry-After"] is None


def test_a_killed_holder_leaves_the_page_and_the_switch_works(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    new = serve("new")
    with nginx.hold(route_to(), [], 30, Quiet()):
        caught = [background.submit(visit("shop").get)]
        caught.append(background.submit(visit("shop").post, b"abc"))
        assert waiting(nginx, 2)
        held = nginx._holds.find(SHOP)
        assert held is not None
        os.kill(held.pid, signal.SIGKILL)
        answers = [job.result(20) for job in caught]
        answers += [visit("shop").get(), visit("shop").post(b"abc")]
        assert {(status, headers["Retry-After"]) for status, headers, _ in answers} == {(503, "5")}
    nginx.switch(route_to(new.target, version=2), [], 30, Quiet())
    assert visit("shop").get()[2] == "new"


def test_a_killed_holder_is_replaced_by_the_next_hold(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    with nginx.hold(route_to(), [], 30, Quiet()):
        held = nginx._holds.find(SHOP)
        assert held is not None
        os.kill(held.pid, signal.SIGKILL)
    with nginx.hold(route_to(), [], 30, Quiet()):
        asked = background.submit(visit("shop").get)
        assert waiting(nginx, 1)
    nginx.switch(route_to(serve("new").target, version=2), [], 30, Quiet())
    assert asked.result(10)[2] == "new"


def test_the_next_server_passes_on_what_its_killed_predecessor_held(
    nginx: Nginx,
    make_nginx: MakeNginx,
    serve: Serve,
    visit: Visit,
    background: ThreadPoolExecutor,
    tmp_path: Path,
) -> None:
    target = serve("one").target
    nginx.switch(route_to(target), [], 30, Quiet())
    with nginx.hold(route_to(target), [target], 30, Quiet()):
        asked = background.submit(visit("shop").get)
        assert waiting(nginx, 1)
        successor = make_nginx()
        successor.start()
        assert waiting(successor, 1)
        successor.routes([route_to(target)])
        assert asked.result(10)[2] == "one"
    assert visit("shop").get()[2] == "one"
    assert until(lambda: not any((tmp_path / "nginx" / "holders").iterdir()), 10)


def test_the_next_server_goes_on_holding_what_is_to_be_held(
    nginx: Nginx,
    make_nginx: MakeNginx,
    serve: Serve,
    visit: Visit,
    background: ThreadPoolExecutor,
) -> None:
    with nginx.hold(route_to(), [], 30, Quiet()):
        asked = background.submit(visit("shop").get)
        assert waiting(nginx, 1)
        successor = make_nginx()
        successor.start()
        successor.routes([route_to(state="held"), route_to(app="blog", state="held")])
        more = background.submit(visit("blog").get)
        assert waiting(successor, 1)
        assert waiting(successor, 1, AppName("blog"))
    new = serve("new").target
    successor.switch(route_to(new), [], 30, Quiet())
    successor.routes([route_to(new), route_to(new, app="blog")])
    assert [asked.result(10)[2], more.result(10)[2]] == ["new", "new"]


def test_what_is_held_goes_on_also_to_tasks_that_do_not_answer(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    silent = serve("silent")
    silent.kill()
    with nginx.hold(route_to(), [], 30, Quiet()):
        asked = background.submit(visit("shop").get)
        assert waiting(nginx, 1)
    with pytest.raises(RouteFailed, match="does not answer through nginx"):
        nginx.switch(route_to(silent.target, version=2), [], 30, Quiet())
    assert asked.result(20)[1]["Retry-After"] == "5"
    assert visit("shop").get()[0] == 502


def test_a_route_that_nginx_refuses_is_served_through_the_holder(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    one = serve("one").target
    with nginx.hold(route_to(), [], 30, Quiet()):
        own = tmp_path / "templates" / "nginx" / "app.conf"
        own.parent.mkdir(parents=True)
        own.write_text("}")
    with pytest.raises(RouteFailed):
        make_nginx().switch(route_to(one, version=2), [], 30, Quiet())
    assert visit("shop").get()[2] == "one"
    assert visit("shop").post(b"abc")[2] == "3 bytes"


@pytest.mark.parametrize(("removed", "after"), [(False, 503), (True, 404)])
def test_a_switch_without_tasks_and_a_removal_tell_those_that_wait(
    nginx: Nginx, visit: Visit, background: ThreadPoolExecutor, removed: bool, after: int
) -> None:
    with nginx.hold(route_to(), [], 30, Quiet()):
        asked = background.submit(visit("shop").get)
        assert waiting(nginx, 1)
    if removed:
        nginx.remove(SHOP)
    else:
        nginx.switch(route_to(state="stopped"), [], 30, Quiet())
    assert asked.result(10)[2].startswith("503 The app is being updated")
    assert visit("shop").get()[0] == after


def test_a_holder_that_does_not_start_leaves_the_route_as_it_was(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    one = serve("one").target
    nginx.switch(route_to(one), [], 30, Quiet())
    nginx._holds._python = "/bin/false"
    with (
        pytest.raises(BackendDown, match="nothing can hold the requests of shop"),
        nginx.hold(route_to(one), [one], 30, Quiet()),
    ):
        pass
    assert visit("shop").get()[2] == "one"


def test_a_route_that_nginx_refuses_is_not_held(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    one = serve("one").target
    nginx.switch(route_to(one), [], 30, Quiet())
    own = tmp_path / "templates" / "nginx" / "app.conf"
    own.parent.mkdir(parents=True)
    own.write_text("}")
    router = make_nginx()
    with pytest.raises(RouteFailed), router.hold(route_to(one), [one], 30, Quiet()):
        pass
    assert visit("shop").get()[2] == "one"
    assert router._holds.find(SHOP) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the firewall")
def test_no_rule_is_left_by_a_switch_or_by_a_killed_server(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, visit: Visit
) -> None:
    old, new = serve("old").target, serve("new").target
    nginx.switch(route_to(old), [], 30, Quiet())
    visit("shop").get()
    with nginx.hold(route_to(old), [old], 30, Quiet()):
        assert "shop is held" in firewall(nginx)
    nginx.switch(route_to(new, version=2), [], 30, Quiet())
    assert firewall(nginx) == ""
    visit("shop").get()
    with nginx.hold(route_to(new), [new], 30, Quiet()):
        assert "shop is held" in firewall(nginx)
        make_nginx().start()
        assert firewall(nginx) == ""
