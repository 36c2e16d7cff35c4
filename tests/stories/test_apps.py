"""An app from its creation to its end: its names, its addresses, its limits, its pages."""

import http.client
import socket

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import DOMAIN, Answer, Repository, Server
from tests.stories.traffic import visiting

pytestmark = pytest.mark.docker


@pytest.fixture
def hello(server: Server, repo: MakeRepository) -> Repository:
    repository = repo("hello")
    repository.push(check=True)
    return repository


def ask(server: Server, host: str, path: str = "/", **headers: str) -> Answer:
    """Ask nginx for a host name of one's own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": host, **headers})
        response = connection.getresponse()
        body = response.read().decode()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, body)
    finally:
        connection.close()


def test_an_app_that_nobody_has_pushed_says_so(server: Server, repo: MakeRepository) -> None:
    app = repo("hello").app
    made = server.ssh(f"apps:create {app}")
    assert (made.returncode, made.stdout) == (0, f"{app} is there; git push makes it live\n")
    page = server.get(app)
    assert page.status == 503
    assert "git push" in page.body or "pushed" in page.body
    assert server.record(f"apps:info {app}")["state"] == "empty"
    again = server.ssh(f"apps:create {app}")
    assert (again.returncode, f"{app} exists already" in again.stderr) == (1, True)
    for name in ("Shop", "-x", "a_b", "x" * 31, "../x"):
        refused = server.ssh(f"apps:create -- {name}")
        assert refused.returncode == 1, name
        assert "is not an app name" in refused.stderr


def test_unknown_apps_end_with_20_and_unknown_commands_with_a_hint(server: Server) -> None:
    for command in ("apps:info", "releases", "logs", "ps", "config:show", "url", "disks:list"):
        refused = server.ssh(f"{command} nobody-here")
        assert refused.returncode == 20, command
        assert "app nobody-here does not exist" in refused.stderr
    typo = server.ssh("app:list")
    assert typo.returncode == 1
    assert "apps:list" in typo.stderr


def test_an_app_answers_on_every_domain_that_it_is_given(
    server: Server, hello: Repository, repo: MakeRepository
) -> None:
    app = hello.app
    own, other = f"{app}.example.com", f"www.{app}.example.com"
    added = server.ssh(f"domains:add {app} {own} {other.upper()}.")
    assert added.returncode == 0, added.stderr
    assert ask(server, own).body == ask(server, other).body == "hello from version 1\n"
    assert server.ssh(f"domains:list {app}").stdout.split() == [f"{app}.{DOMAIN}", own, other]
    assert server.ssh(f"urls {app}").stdout.split()[1] == f"http://{own}:{server.http_port}"

    rival = repo("hello")
    server.ssh(f"apps:create {rival.app}", check=True)
    taken = server.ssh(f"domains:add {rival.app} free.{rival.app}.example.com {own}")
    assert (taken.returncode, app in taken.stderr) == (1, True)
    assert ask(server, f"free.{rival.app}.example.com").status == 404
    default = server.ssh(f"domains:add {rival.app} {app}.{DOMAIN}")
    assert (default.returncode, f"belongs to the app {app}" in default.stderr) == (1, True)

    server.ssh(f"domains:remove {app} {own}", check=True)
    assert ask(server, own).status == 404
    assert ask(server, other).status == 200
    hello.write("VERSION", "2\n")
    hello.commit()
    hello.push(check=True)
    assert ask(server, other).body == "hello from version 2\n"


def test_a_domain_in_other_letters_is_asked_for_as_browsers_do(
    server: Server, hello: Repository
) -> None:
    app = hello.app
    added = server.ssh(f"domains:add {app} Bücher.{app}.example")
    assert added.returncode == 0, added.stderr
    assert f"bücher.{app}.example" in added.stdout
    assert ask(server, f"xn--bcher-kva.{app}.example").body == "hello from version 1\n"
    for host in (DOMAIN, f"*.{DOMAIN}", f"future.{DOMAIN}", "*.com", "127.1", "::1"):
        assert server.ssh(f"domains:add {app} {host}").returncode == 1, host
    assert ask(server, f"future.{DOMAIN}").status == 404


def test_a_wildcard_takes_what_no_other_app_has(server: Server, hello: Repository) -> None:
    app = hello.app
    server.ssh(f"domains:add {app} *.{app}.example.com", check=True)
    assert ask(server, f"anything.{app}.example.com").status == 200
    assert ask(server, f"{app}.example.com").status == 404


def test_url_is_what_a_browser_needs(server: Server, hello: Repository) -> None:
    url = f"http://{hello.app}.{DOMAIN}:{server.http_port}"
    assert server.ssh(f"url {hello.app}").stdout == f"{url}\n"
    assert server.record(f"apps:info {hello.app}")["url"] == url


def test_a_renamed_app_takes_everything_along_and_never_stops_serving(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("journal")
    old, new = repository.app, f"{repository.app}-new"
    brand = f"www.{old}"
    server.ssh(f"apps:create {old}", check=True)
    server.ssh(f"disks:attach {old} data /data", check=True)
    server.ssh(f"config:set {old} COLOUR=red", check=True)
    server.ssh(f"domains:add {old} {brand}.{DOMAIN}", check=True)
    repository.push(check=True)

    with visiting(server, brand) as visits:
        renamed = server.ssh(f"apps:rename {old} {new}")

    assert visits.lost == []
    assert renamed.returncode == 0, renamed.stderr
    assert renamed.stdout.count("traffic goes to v1") == 1
    assert f"git remote set-url deploy deploy:{new}" in renamed.stdout
    assert server.get(new).body == "journal of version 1\n"
    assert server.get(new, "/journal").body == "release v1\n"
    assert server.get(brand).status == 200
    assert server.get(old).status == 404
    assert server.ssh(f"apps:exists {old}").returncode == 20
    assert server.record(f"config:show {new}") == {"COLOUR": "red"}
    assert server.ledger(new) == [(1, "live", "deploy")]

    repository.git("remote", "set-url", "deploy", f"deploy@deploy:{new}")
    repository.write("VERSION", "2\n")
    repository.commit()
    repository.push(check=True)
    assert server.get(new, "/journal").body == "release v1\nrelease v2\n"


def test_a_destroyed_app_is_gone_and_its_name_is_free(server: Server, hello: Repository) -> None:
    app = hello.app
    for words in (app, f"{app} --confirm other"):
        refused = server.ssh(f"apps:destroy {words}")
        assert refused.returncode == 1
    assert server.get(app).status == 200

    destroyed = server.ssh(f"apps:destroy {app} --confirm {app}")

    assert destroyed.returncode == 0, destroyed.stderr
    assert server.get(app).status == 404
    assert server.containers(f"pushdeploy.app={app}") == []
    assert server.ssh(f"releases {app}").returncode == 20
    assert hello.remote_main == ""
    hello.push(check=True)
    assert server.ledger(app) == [(1, "live", "deploy")]


def test_a_destroy_is_asked_for_on_a_terminal(server: Server, repo: MakeRepository) -> None:
    app = repo("hello").app
    server.ssh(f"apps:create {app}", check=True)
    client = server.watch_terminal(f"apps:destroy {app}", rows=24, columns=80)
    client.wait_for(f"Type {app} to destroy it: ")
    client.type(f"{app}\r")
    assert client.end() == 0, client.said
    assert server.ssh(f"apps:exists {app}").returncode == 20


def test_a_body_over_the_limit_is_refused_until_the_limit_is_raised(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("journal")
    app = repository.app
    repository.push(check=True)
    server.ssh(f"apps:set {app} body-limit=1k", check=True)
    too_large = server.get(app, "/", method="POST", body="x" * 2000)
    assert too_large.status == 413
    server.ssh(f"apps:set {app} body-limit=1m", check=True)
    assert server.get(app, "/", method="POST", body="x" * 2000).status == 200
    assert server.record(f"apps:set {app}")["body-limit"] == "1m"
    wrong = server.ssh(f"apps:set {app} body-limit=lots")
    assert (wrong.returncode, "lots" in wrong.stderr) == (1, True)
    nothing = server.ssh(f"apps:set {app} colour=red")
    assert (nothing.returncode, "colour" in nothing.stderr) == (1, True)


def test_pages_of_ours_are_plain_for_programs_and_html_for_browsers(server: Server) -> None:
    plain = ask(server, f"nobody.{DOMAIN}")
    page = ask(server, f"nobody.{DOMAIN}", Accept="text/html")
    assert plain.status == page.status == 404
    assert "<html" not in plain.body.lower()
    assert "<html" in page.body.lower()


def test_a_request_id_is_given_to_app_and_client(server: Server, hello: Repository) -> None:
    first, second = server.get(hello.app), server.get(hello.app)
    assert len(first.headers["x-request-id"]) >= 16
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_an_upgraded_connection_passes_and_outlives_a_switch_of_another_app(
    server: Server, repo: MakeRepository, hello: Repository
) -> None:
    echo = repo("echo")
    echo.push(check=True)
    assert server.get(echo.app).body == "no echoes\n"
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as client:
        client.sendall(
            f"GET / HTTP/1.1\r\nHost: {echo.app}.{DOMAIN}\r\n"
            "Connection: Upgrade\r\nUpgrade: echo\r\n\r\n".encode()
        )
        stream = client.makefile("rwb", buffering=0)
        assert stream.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        while stream.readline() != b"\r\n":
            pass
        stream.write(b"one\n")
        assert stream.readline() == b"echo one\n"

        hello.write("VERSION", "2\n")
        hello.commit()
        hello.push(check=True)

        stream.write(b"two\n")
        assert stream.readline() == b"echo two\n"
        stream.close()
