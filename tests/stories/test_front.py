"""What visitors and owners of apps meet at the router: proxies, streams, and an nginx that dies."""

import http.client
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress

import pytest

from pushdeploy.route.routers.nginx.workers import workers_in
from tests.stories.conftest import MakeRepository, MakeServer
from tests.stories.harness import APPS, DOMAIN, Answer, Repository, Server, wait_until

pytestmark = pytest.mark.docker

PROXY = "127.0.0.2"
"""Where requests of the trusted proxy come from."""


@pytest.fixture(scope="module")
def front(make_server: MakeServer) -> Server:
    return make_server(trusted_proxies=PROXY)


@pytest.fixture(scope="module")
def app(front: Server, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    path = tmp_path_factory.mktemp("front") / "visitor"
    repository = Repository.create(front, APPS / "visitor", path, "visitor")
    repository.push(check=True)
    return repository


@contextmanager
def asking(
    app: Repository, path: str, headers: Mapping[str, str] | None = None, by: str = "127.0.0.1"
) -> Iterator[http.client.HTTPResponse]:
    """Ask for the app from the address ``by``; the answer is still to be read."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", app.server.http_port, timeout=60, source_address=(by, 0)
    )
    connection.request("GET", path, None, {"Host": f"{app.app}.{DOMAIN}", **(headers or {})})
    with closing(connection), connection.getresponse() as answer:
        yield answer


def ask(
    app: Repository, path: str, headers: Mapping[str, str] | None = None, by: str = "127.0.0.1"
) -> Answer:
    with asking(app, path, headers, by) as answer:
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read().decode())


def test_an_app_that_wants_https_is_content_behind_a_trusted_proxy(app: Repository) -> None:
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.66, 192.0.2.7"}
    assert ask(app, "/", told, by=PROXY).status == 200
    assert ask(app, "/", told).status == 301
    read = json.loads(ask(app, "/headers", told, by=PROXY).body)
    assert (read["X-Forwarded-For"], read["X-Forwarded-Port"]) == ("192.0.2.7", "443")
    read = json.loads(ask(app, "/headers", {**told, "Forwarded": "for=198.51.100.66"}).body)
    assert (read["X-Forwarded-For"], read["X-Forwarded-Proto"]) == ("127.0.0.1", "http")
    assert "Forwarded" not in read


def test_events_arrive_when_they_are_sent(app: Repository) -> None:
    with asking(app, "/events") as stream:
        for number in range(3):
            assert ask(app, "/next").body == "there it is\n"
            assert stream.readline() == b"data: %d\n" % number
            assert stream.readline() == b"\n"


def test_an_owner_sets_how_long_a_silence_may_be(app: Repository) -> None:
    app.server.ssh(f"apps:set {app.app} read-timeout=1s", check=True)
    answer = ask(app, "/silent")
    assert (answer.status, answer.headers["x-pushdeploy-error"]) == (504, "504")
    app.server.ssh(f"apps:set {app.app} read-timeout=", check=True)


def test_a_damaged_file_of_an_app_stops_no_other(app: Repository, repo: MakeRepository) -> None:
    file = app.server.home / "nginx" / "apps" / f"{app.app}.conf"
    file.write_text("server { garbage")
    repo("hello", on=app.server).push(check=True)
    assert ask(app, "/headers").status == 200
    assert f"{file} was damaged, and is written again" in app.server.log()


def test_a_killed_nginx_serves_again_by_itself_and_the_doctor_tells(app: Repository) -> None:
    nginx = app.server.home / "nginx"
    pids = [int((nginx / "nginx.pid").read_text()), *(each.pid for each in workers_in(nginx))]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)

    def answers() -> bool:
        with suppress(OSError):
            return ask(app, "/headers").status == 200
        return False

    wait_until(answers, 30, lambda: f"nginx is still dead:\n{app.server.log()[-2000:]}")
    assert "nginx has ended by itself: it is started again" in app.server.log()
    assert "it ended by itself once" in app.server.program("doctor").stdout
