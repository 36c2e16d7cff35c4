"""A certificate authority is answered before anything else is decided, and without a reload."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.output import Quiet
from pushdeploy.resources import shipped
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.route.routers.nginx.workers import workers_in
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.web_servers import Visitor, WebServer, route_to

Serve = Callable[[str], WebServer]
Visit = Callable[[str], Visitor]
PATH = "/.well-known/acme-challenge/"


def test_a_token_needs_no_reload_and_passes_by_redirects_and_passwords(
    tmp_path: Path, address: Address, nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    template = (shipped("templates") / "nginx" / "app.conf").read_text()
    closed = 'auth_basic "closed"; auth_basic_user_file nobody; deny all; return 308 https://$host;'
    own = tmp_path / "templates" / "nginx" / "app.conf"
    own.parent.mkdir(parents=True)
    own.write_text(template.replace("    location / {", f"    {closed}\n    location / {{"))
    router = Nginx(tmp_path, SharedFront(address), Templates(tmp_path))
    router.routes([route_to(serve("one").target)])
    before = {worker.pid for worker in workers_in(tmp_path / "nginx")}
    router.challenge("abc", "abc.xyz")
    status, headers, body = visit("shop").get(f"{PATH}abc")
    assert (status, headers["Content-Type"], body) == (200, "text/plain", "abc.xyz")
    assert headers["Cache-Control"] == "no-store"
    assert visit("shop").get(f"{PATH}other")[0] == 308
    assert visit("shop").get()[0] == 308
    assert {worker.pid for worker in workers_in(tmp_path / "nginx")} == before


@pytest.mark.parametrize("token", ["", "..", "../nginx.conf", "a/b", "a.b", "a\n", "é", "x" * 201])
def test_what_is_no_token_becomes_no_file(nginx: Nginx, tmp_path: Path, token: str) -> None:
    with pytest.raises(UserError, match="is no token"):
        nginx.challenge(token, "answer")
    with pytest.raises(UserError, match="is no token"):
        nginx.challenge(token, None)
    assert list((tmp_path / "nginx" / "challenges").iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "..%2fnginx.conf",
            "../../nginx.conf",
            "%2e%2e/nginx.conf",
            "abc/",
            "abc%00",
            "a%2fb",
        ),
        *("/abc", "abc?x=/../..", "ABC"),
    ],
)
def test_nothing_but_a_token_is_shown(nginx: Nginx, serve: Serve, visit: Visit, path: str) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    nginx.challenge("abc", "abc.xyz")
    body = visit("shop").get(PATH + path)[2]
    assert "worker_processes" not in body
    assert ("abc.xyz" in body) == (path in {"/abc", "abc?x=/../.."})


def test_the_place_of_a_token_cannot_be_asked_for_itself(
    nginx: Nginx, serve: Serve, visit: Visit
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    nginx.challenge("abc", "abc.xyz")
    assert visit("shop").get("/.pushdeploy-challenge")[0] == 404
    assert visit("nobody").get("/.pushdeploy-challenge")[0] == 404


def test_a_start_removes_tokens_of_before_yesterday(
    nginx: Nginx, tmp_path: Path, make_nginx: Callable[[], Nginx]
) -> None:
    for token in ("old", "new"):
        nginx.challenge(token, "answer")
    challenges = tmp_path / "nginx" / "challenges"
    long_ago = time.time() - 2 * 86_400
    os.utime(challenges / "old", (long_ago, long_ago))
    make_nginx().start()
    assert [path.name for path in challenges.iterdir()] == ["new"]
