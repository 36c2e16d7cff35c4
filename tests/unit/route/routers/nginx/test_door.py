"""The door of an app: what visitors are answered before the app is asked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.network import parse_network
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.route import Route
from pushdeploy.output import Quiet
from pushdeploy.route.routers.nginx.router import Nginx
from tests.web_servers import Visitor, WebServer, route_to

Serve = Callable[[str], WebServer]
Visit = Callable[[str], Visitor]
CLOSED = FrontRules(maintenance=Maintenance())
PAGE = "<p>back soon: $x; {}</p>\n"
OWN = FrontRules(maintenance=Maintenance(PAGE))


def ruled(route: Route, rules: FrontRules) -> Route:
    return replace(route, site=replace(route.site, rules=rules))


def test_maintenance_closes_an_app_and_its_deploys_go_on(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    one, two = serve("one"), serve("two")
    nginx.switch(route_to(one.target), [], 30, Quiet())
    nginx.refresh(ruled(route_to(one.target), CLOSED))
    status, headers, body = visit("shop").get("/")
    assert (status, headers["Retry-After"], headers["X-Pushdeploy-Error"]) == (503, "300", "503")
    assert "being worked on" in body
    nginx.switch(ruled(route_to(two.target, version=2), OWN), [one.target], 30, Quiet())
    status, headers, body = visit("shop").get("/any/where")
    assert (status, headers["Retry-After"], body) == (503, "300", PAGE)
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    # What nobody but nginx may ask for, and what a certificate authority has not, is no way around.
    for path in ("/.pushdeploy/own/x", "/.pushdeploy-challenge", "/.well-known/acme-challenge/x"):
        assert visit("shop").get(path)[0] in {404, 503}
    nginx.refresh(route_to(two.target, version=2))
    assert visit("shop").get("/")[2] == "two"
    nginx.refresh(route_to(two.target, version=2))
    nginx.remove(one_app := route_to().app)
    assert not (tmp_path / "nginx" / "own" / one_app).exists()


def test_some_see_the_app_in_maintenance(nginx: Nginx, serve: Serve, visit: Visit) -> None:
    one = serve("one")
    for network, expected in (("127.0.0.0/8", 200), ("10.0.0.0/8", 503)):
        rules = FrontRules(maintenance=Maintenance(allowed=(parse_network(network),)))
        nginx.switch(ruled(route_to(one.target), rules), [], 30, Quiet())
        assert visit("shop").get("/")[0] == expected


def test_maintenance_answers_at_once_while_requests_of_others_wait(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    old, new = serve("old"), serve("new")
    closed, blog = ruled(route_to(old.target), CLOSED), route_to(old.target, app="blog")
    nginx.routes([closed, blog])
    with nginx.hold(closed, [], 30, Quiet()), nginx.hold(blog, [], 30, Quiet()):
        waits = background.submit(visit("blog").get, "/")
        assert visit("shop").get("/")[0] == 503
        assert not waits.done()
    nginx.switch(route_to(new.target, app="blog", version=2), [], 30, Quiet())
    nginx.switch(ruled(route_to(new.target, version=2), CLOSED), [], 30, Quiet())
    assert waits.result(20)[2] == "new"


def test_a_broken_app_can_be_closed(nginx: Nginx, serve: Serve, visit: Visit) -> None:
    one = serve("one")
    nginx.switch(route_to(one.target), [], 30, Quiet())
    one.kill()
    nginx.refresh(ruled(route_to(one.target), CLOSED))
    assert visit("shop").get("/")[0] == 503


def test_what_is_held_stays_held_when_rules_change(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    one = serve("one")
    nginx.switch(route_to(state="held"), [], 30, Quiet())
    waits = background.submit(visit("shop").get, "/")
    nginx.refresh(route_to(one.target))
    assert not waits.done()
    nginx.switch(route_to(one.target), [], 30, Quiet())
    assert waits.result(20)[2] == "one"
