"""The router on a real nginx: what visitors of an app, and of no app, are answered."""

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pushdeploy.domain.errors import RouteFailed
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.route import Route, Target
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.domain.site import Site
from pushdeploy.output import Output, Quiet
from pushdeploy.route.routers.nginx.router import Nginx
from tests.web_servers import Visitor, WebServer, route_to

Serve = Callable[[str], WebServer]
Visit = Callable[[str], Visitor]
MakeNginx = Callable[[], Nginx]


def test_a_switched_app_answers_on_its_host(
    nginx: Nginx, serve: Serve, visit: Visit, output: Output, said: list[str]
) -> None:
    target = serve("one").target
    nginx.switch(route_to(target, version=3), [], 30, output)
    status, _, body = visit("shop").get()
    assert (status, body) == (200, "one")
    assert said == ["       traffic goes to v3"]


def test_where_traffic_goes_is_told_when_that_changes(
    nginx: Nginx, serve: Serve, output: Output, said: list[str]
) -> None:
    one, two = serve("one").target, serve("two").target
    for target in (one, one, two):
        nginx.switch(route_to(target, version=3), [], 30, output)
    assert said == ["       traffic goes to v3"] * 2


def test_the_app_learns_who_asked_how_and_when(nginx: Nginx, serve: Serve, visit: Visit) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    _, headers, body = visit("shop").get("/headers", X_Forwarded_For="192.0.2.7")
    seen = dict(line.split(": ", 1) for line in body.splitlines() if line)
    assert seen["Host"] == "shop.localhost"
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "http"
    assert seen["X-Request-Start"].startswith("t=")
    assert "Connection" not in seen
    assert headers.get_all("X-Request-Id") == [seen["X-Request-Id"]]
    assert len(seen["X-Request-Id"]) == 32


@pytest.mark.parametrize(
    ("given", "kept"), [("0123456789-abcdef.01", True), ("short", False), ("a b" * 9, False)]
)
def test_a_request_id_is_kept_when_it_looks_like_one(
    nginx: Nginx, serve: Serve, visit: Visit, given: str, kept: bool
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    _, headers, _ = visit("shop").get(X_Request_Id=given)
    assert (headers["X-Request-Id"] == given) is kept


@pytest.mark.parametrize("host", ["nobody.localhost", "127.0.0.1", "shop.localhost.evil.org"])
def test_a_host_that_no_app_has_gets_a_plain_404(
    nginx: Nginx, serve: Serve, visit: Visit, host: str
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    status, headers, body = visit(host).get()
    assert (status, headers["X-Pushdeploy-Error"]) == (404, "404")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "no app at this address" in body


def test_browsers_get_pages_in_html(nginx: Nginx, visit: Visit) -> None:
    _, headers, body = visit("nobody").get(Accept="text/html,*/*;q=0.8")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>There is no app at this address</h1>" in body


def test_bodies_up_to_the_limit_pass_and_larger_ones_are_told(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    nginx.switch(
        route_to(serve("one").target, settings=FrontSettings(body_limit_bytes=2_000_000)),
        [],
        30,
        Quiet(),
    )
    assert visit("shop").post(b"x" * 2_000_000)[::2] == (200, "2000000 bytes")
    status, headers, body = visit("shop").post(b"x" * 2_000_001)
    assert (status, headers["X-Pushdeploy-Error"]) == (413, "413")
    assert "too large" in body


def test_a_stopped_app_says_so(nginx: Nginx, serve: Serve, visit: Visit) -> None:
    server = serve("one")
    nginx.switch(route_to(server.target), [], 30, Quiet())
    nginx.switch(route_to(state="stopped"), [server.target], 30, Quiet())
    status, headers, body = visit("shop").get()
    assert (status, headers["X-Pushdeploy-Error"]) == (503, "503")
    assert "stopped" in body
    assert visit("shop").post(b"x")[0] == 503


def test_an_app_without_a_release_says_so(nginx: Nginx, visit: Visit) -> None:
    nginx.switch(route_to(version=None, state="empty"), [], 30, Quiet())
    status, _, body = visit("shop").get()
    assert status == 503
    assert "Nothing has been deployed" in body


def test_a_task_that_dies_is_named_by_the_502_page(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    server = serve("one")
    nginx.switch(route_to(server.target), [], 30, Quiet())
    server.kill()
    status, headers, body = visit("shop").get()
    assert (status, headers["X-Pushdeploy-Error"]) == (502, "502")
    assert "did not answer" in body


def test_a_dead_task_beside_a_living_one_costs_nobody_an_answer(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    dead, alive = serve("dead"), serve("alive")
    nginx.switch(route_to(dead.target, alive.target), [], 30, Quiet())
    dead.kill()
    visitor = visit("shop")
    assert {visitor.get()[::2] for _ in range(8)} == {(200, "alive")}


def test_the_files_of_the_pages_are_not_for_everybody(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    assert visit("shop").get("/.pushdeploy/502.html")[0] == 404


def test_a_removed_app_is_unknown_and_the_others_are_not_touched(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    nginx.switch(route_to(serve("two").target, app="blog"), [], 30, Quiet())
    nginx.remove(AppName("shop"))
    nginx.remove(AppName("shop"))
    assert visit("shop").get()[0] == 404
    assert visit("blog").get()[2] == "two"


def test_wildcard_hosts_and_very_long_ones_are_served(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    long = ".".join(["a" * 60] * 4)
    hosts = [HostName.parse("*.example.org"), HostName.parse(long)]
    route = Route(Site(AppName("shop"), hosts, FrontSettings()), [serve("one").target], 1)
    nginx.switch(route, [], 30, Quiet())
    assert visit("any.example.org").get()[2] == "one"
    assert visit(long).get()[2] == "one"


def test_tasks_that_do_not_answer_leave_the_former_route(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    silent = serve("silent")
    silent.kill()
    with pytest.raises(RouteFailed, match="does not answer through nginx: nginx answers 502"):
        nginx.switch(route_to(silent.target, version=2), [], 30, Quiet())
    assert visit("shop").get()[2] == "one"


def test_an_answer_that_nginx_has_waited_for_in_vain_is_not_asked_for_again(nginx: Nginx) -> None:
    settings = FrontSettings(read_timeout_seconds=1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = Target("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(RouteFailed, match="nginx answers 504"):
            nginx.switch(route_to(target, settings=settings), [], 30, Quiet())
        silent.setblocking(False)
        for _ in range(2):  # nginx itself tries its way around a reload, and no third time
            asked, _ = silent.accept()
            asked.close()
        with pytest.raises(BlockingIOError):
            silent.accept()


@pytest.mark.parametrize("broken", ["}", "no_such_directive on;", "{{ no_such_variable }}"])
def test_a_broken_template_leaves_every_route_as_it_was(
    nginx: Nginx,
    make_nginx: MakeNginx,
    serve: Serve,
    visit: Visit,
    tmp_path: Path,
    broken: str,
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    nginx.switch(route_to(serve("two").target, app="blog"), [], 30, Quiet())
    own = tmp_path / "templates" / "nginx" / "app.conf"
    own.parent.mkdir(parents=True)
    own.write_text(broken)
    before = _files(tmp_path)
    with pytest.raises(RouteFailed) as failure:
        make_nginx().switch(route_to(serve("new").target), [], 30, Quiet())
    assert "template" in failure.value.hint or "template" in failure.value.message
    if "{{" not in broken:
        assert any("apps/shop.conf" in line for line in failure.value.details)
    assert _files(tmp_path) == before
    assert (visit("shop").get()[2], visit("blog").get()[2]) == ("one", "two")
    own.unlink()
    nginx.switch(route_to(serve("new").target), [], 30, Quiet())
    assert visit("shop").get()[2] == "new"


def test_routes_makes_exactly_these_and_leaves_a_bad_one_as_it_was(
    nginx: Nginx,
    make_nginx: MakeNginx,
    serve: Serve,
    visit: Visit,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, two = serve("one").target, serve("two").target
    nginx.routes([route_to(one, app=app) for app in ("gone", "bad", "shop")])
    own = tmp_path / "templates" / "nginx" / "app.conf"
    own.parent.mkdir(parents=True)
    shipped = Path("templates/nginx/app.conf").read_text()
    own.write_text(shipped + "{{ '}' if app == 'bad' else '' }}\n")
    make_nginx().routes([route_to(two, app=app) for app in ("bad", "shop", "blog", "more", "news")])
    answers = {app: visit(app).get()[2] for app in ("bad", "shop", "blog", "more", "news")}
    assert answers == {"bad": "one", "shop": "two", "blog": "two", "more": "two", "news": "two"}
    assert visit("gone").get()[0] == 404
    assert "app=bad has no new route" in caplog.text


def test_routes_that_are_as_they_should_be_cost_no_reload(
    nginx: Nginx, serve: Serve, tmp_path: Path
) -> None:
    routes = [route_to(serve("one").target), route_to(app="blog", state="stopped")]
    nginx.routes(routes)
    before = _workers(tmp_path)
    nginx.routes(routes)
    assert _workers(tmp_path) <= before


def test_a_healthy_nginx_has_nothing_to_tell_the_doctor(nginx: Nginx) -> None:
    [version] = nginx.examine(serving=True)
    assert (version.check, version.ok) == ("nginx", True)
    assert tuple(map(int, version.detail.split("."))) >= (1, 27, 4)


def test_the_doctor_learns_of_a_file_that_nginx_refuses(nginx: Nginx, tmp_path: Path) -> None:
    (tmp_path / "nginx" / "conf.d" / "own.conf").write_text("no_such_directive on;\n")
    [trouble] = [each for each in nginx.examine(serving=True) if not each.ok]
    assert "conf.d/own.conf:1" in trouble.detail
    assert trouble.mend.startswith("correct ")


def test_the_doctor_learns_that_nginx_does_not_run_where_it_should(nginx: Nginx) -> None:
    nginx.stop()
    [trouble] = [each for each in nginx.examine(serving=True) if not each.ok]
    assert ("not running" in trouble.detail, trouble.mend) == (True, "pushdeploy serve")
    assert all(each.ok for each in nginx.examine(serving=False))


def _files(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home / "nginx" / "apps").iterdir()}


def _workers(home: Path) -> set[str]:
    master = (home / "nginx" / "nginx.pid").read_text().strip()
    listing = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", master], capture_output=True, text=True, check=True
    )
    return set(listing.stdout.split())
