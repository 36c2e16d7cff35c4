"""The door of an app: what visitors are answered before the app is asked."""

import base64
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from pushdeploy.domain.front.access import Access
from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.network import parse_network
from pushdeploy.domain.front.password import Passwords, UserName
from pushdeploy.domain.front.rate_limits import RateLimits
from pushdeploy.domain.front.redirect import Redirect, parse_redirect, with_redirect
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.route import Route
from pushdeploy.output import Quiet
from pushdeploy.passwords import hashed
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
    for path in (
        *("/.pushdeploy/own/x", "/.pushdeploy-challenge", "/.pushdeploy-challenge/x"),
        *("/.pushdeploy-x", "/admin%2f..%2f.pushdeploy-x", "/.well-known/acme-challenge/x"),
    ):
        status, _, body = visit("shop").get(path)
        assert status in {404, 503}, path
        assert body != "two", path
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


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_a_password_opens_an_app_and_reaches_it_not(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    one = serve("one")
    ada, bob = {UserName("ada"): hashed(b"p\xc3\xa4ss")}, {UserName("bob"): hashed(b"bob's")}
    rules = FrontRules(passwords=Passwords({"/": ada, "/admin": bob}))
    route = ruled(route_to(one.target), rules)
    nginx.switch(route, [], 30, Quiet())
    ask = visit("shop").get
    status, headers, body = ask("/")
    assert (status, "asks for a password" in headers["WWW-Authenticate"]) == (401, True)
    assert "password" in body
    assert ask("/", Authorization=basic("ada", "päss"))[0] == 200
    assert "Authorization" not in one.told
    for name, password in (("ada", "pass"), ("ada", ""), ("bob", "bob's"), ("eve", "päss")):
        assert ask("/", Authorization=basic(name, password))[0] == 401
    for path in ("/admin", "/admin/x", "/Admin", "//admin", "/%61dmin/", "/admin;x", "/admin.php"):
        assert ask(path, Authorization=basic("ada", "päss"))[0] == 401, path
        assert ask(path, Authorization=basic("bob", "bob's"))[0] == 200, path
    assert ask("/administration", Authorization=basic("bob", "bob's"))[0] == 401
    for path in ("/admin/../x", "/x/%2e%2e/admin", "/admin/..;/x", "/admin%2f..%2fx", "/./admin"):
        assert ask(path, Authorization=basic("ada", "päss"))[0] == 400, path
    with nginx.hold(route, [], 30, Quiet()):
        assert visit("shop").get("/")[0] == 401
        waits = background.submit(visit("shop").get, "/", Authorization=basic("ada", "päss"))
        assert not waits.done()
    nginx.switch(ruled(route_to(serve("two").target, version=2), rules), [], 30, Quiet())
    assert waits.result(20)[2] == "two"


def test_a_path_without_people_is_open_to_nobody_and_others_pass_their_headers_on(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    one = serve("one")
    rules = FrontRules(passwords=Passwords({"/admin": {}}))
    nginx.switch(ruled(route_to(one.target), rules), [], 30, Quiet())
    assert visit("shop").get("/admin", Authorization=basic("a", "b"))[0] == 401
    assert visit("shop").get("/", Authorization="Bearer x")[0] == 200
    assert one.told["Authorization"] == "Bearer x"


def test_the_narrowest_network_decides_who_is_let_in(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    one = serve("one")
    for verdicts, expected in (
        ({"127.0.0.0/8": "allow"}, 200),
        ({"10.0.0.0/8": "allow"}, 403),
        ({"10.0.0.0/8": "deny"}, 200),
        ({"127.0.0.0/8": "allow", "127.0.0.1": "deny"}, 403),
        ({"0.0.0.0/0": "deny", "::/0": "deny", "127.0.0.1": "allow"}, 200),
    ):
        access = Access({parse_network(text): each for text, each in verdicts.items()})  # type: ignore[misc]
        nginx.switch(ruled(route_to(one.target), FrontRules(access=access)), [], 30, Quiet())
        status, headers, _ = visit("shop").get("/")
        assert (status, headers["X-Pushdeploy-Error"]) == (
            expected,
            None if expected == 200 else "403",
        )


def test_visitors_are_sent_elsewhere(nginx: Nginx, serve: Serve, visit: Visit) -> None:
    one = serve("one")
    redirects: Sequence[Redirect] = ()
    for source, target, code in (
        ("/old", "/new", 301),
        ("/für", "https://www.example.com/for?x=1#top", 302),
        ("/blog/*", "https://blog.example.com/*", 308),
        ("/blog/home", "/", 307),
        ('/a$b;"(c)', '/x$y"{};', 302),
        ("/top/*", "/*", 302),
    ):
        redirects = with_redirect(
            redirects, parse_redirect(source, target, code), ["shop.localhost"]
        )
    rules = FrontRules(redirects=redirects)
    nginx.switch(ruled(route_to(one.target), rules), [], 30, Quiet())
    for path, status, place in (
        ("/old", 301, "/new"),
        ("/old?a=b&c", 301, "/new?a=b&c"),
        ("/f%C3%BCr?y", 302, "https://www.example.com/for?x=1#top"),
        ("/blog/2026/x%20y?p=1", 308, "https://blog.example.com/2026/x%20y?p=1"),
        ("/blog/home", 307, "/"),
        ("/a$b;%22(c)", 302, "/x%24y%22%7B%7D;"),
        ("/top//evil.example.com", 302, "/evil.example.com"),
        ("/top/\\evil.example.com", 302, "/evil.example.com"),
        ("/Old", 200, None),
        ("/older", 200, None),
        ("/blog", 200, None),
    ):
        answer = visit("shop").get(path)
        assert (answer[0], answer[1]["Location"]) == (status, place), path


def test_too_much_of_one_visitor_is_answered_with_429(
    nginx: Nginx, serve: Serve, visit: Visit, background: ThreadPoolExecutor
) -> None:
    one = serve("one")
    rules = FrontRules(limits=RateLimits(requests=1, burst=4), pages={429: "<p>slow down"})
    nginx.switch(ruled(route_to(one.target), rules), [], 30, Quiet())
    answers = [visit("shop").get("/") for _ in range(20)]
    assert Counter(status for status, _, _ in answers)[429] >= 10
    assert answers[0][0] == 200
    assert (answers[-1][1]["Retry-After"], answers[-1][2]) == ("1", "<p>slow down")
    blog = route_to(one.target, app="blog")
    nginx.switch(ruled(blog, FrontRules(limits=RateLimits(connections=1))), [], 30, Quiet())
    slow = background.submit(visit("blog").get, "/slow/1")
    assert one.arrived.wait(10)
    assert visit("blog").get("/")[0] == 429
    assert slow.result(20)[0] == 200


def test_pages_of_an_apps_own_take_the_place_of_ours(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    one = serve("one")
    rules = FrontRules(pages={502: "<p>bad luck", 503: "<p>nobody here"})
    nginx.switch(ruled(route_to(one.target), rules), [], 30, Quiet())
    one.kill()
    status, headers, body = visit("shop").get("/")
    assert (status, headers["X-Pushdeploy-Error"], body) == (502, "502", "<p>bad luck")
    nginx.refresh(ruled(route_to(one.target), FrontRules(pages={502: "<p>worse luck"})))
    assert visit("shop").get("/")[2] == "<p>worse luck"
    nginx.refresh(route_to(one.target))
    assert visit("shop").get("/")[2].startswith("502 The app did not answer")
    nginx.switch(ruled(route_to(state="stopped"), rules), [], 30, Quiet())
    assert visit("shop").get("/")[::2] == (503, "<p>nobody here")
