"""https through a real nginx: who is shown which certificate, and where plain requests go."""

import grp
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from pushdeploy.domain.names import HostName
from pushdeploy.domain.route import Route
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.front_user import FRONT_USER
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.route.routers.nginx.workers import workers_of
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.authority import Authority, pem_of, shown_by
from tests.web_servers import WebServer, free_address, route_to

SHOP = HostName("shop.localhost")
HERE = Authority()


class Front:
    """A router that serves https, and clients of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.http, self.https = free_address(), free_address()
        self.router = self.make()
        self._trusted = home / "root.pem"
        self._trusted.write_text(pem_of(HERE.root.certificate))

    def make(self) -> Nginx:
        return Nginx(self.home, SharedFront(self.http, https=self.https), Templates(self.home))

    @property
    def workers(self) -> set[int]:
        pid = self.router._master.pid
        return {worker.pid for worker in workers_of(pid)} if pid else set()

    def file(self, host: str) -> Path:
        return self.home / "nginx" / "certs" / f"{host}.pem"

    def curl(self, url: str, *words: str, host: str = SHOP) -> str:
        """What curl prints, who trusts our authority alone."""
        there = [f"{host}:{port}:127.0.0.1" for port in (self.http.port, self.https.port)]
        resolved = [word for each in there for word in ("--resolve", each)]
        trusted = ["--cacert", str(self._trusted)]
        command = ["curl", "-sS", "--noproxy", "*", "-m", "20", *resolved, *trusted, *words, url]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        return answer.stdout + answer.stderr

    def code(self, address: Address, *words: str, path: str = "/", host: str = SHOP) -> str:
        scheme = "https" if address == self.https else "http"
        wanted = "%{http_code} %{http_version} %{redirect_url}"
        url = f"{scheme}://{host}:{address.port}{path}"
        return self.curl(url, "-o", os.devnull, "-w", wanted, *words, host=host).strip()

    def shown(self, host: str) -> bytes | None:
        return shown_by(self.https, host)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    made = Front(tmp_path)
    made.router.start()
    yield made
    made.make().stop()


def secured(
    server: WebServer, https: Literal["redirect", "both", "only"] = "redirect", hsts: str = "off"
) -> Route:
    route = route_to(server.target, settings=FrontSettings(https=https, hsts=hsts))
    return replace(route, site=replace(route.site, secured=frozenset([SHOP])))


def test_http2_leads_to_the_app_and_plain_http_to_https(
    front: Front, serve: Callable[[str], WebServer]
) -> None:
    one, good = serve("one"), HERE.sign(SHOP)
    front.router.certificates({SHOP: good.pem})
    front.router.switch(secured(one, hsts="1d"), [], 30, Quiet())
    assert front.code(front.https) == "200 2"
    assert one.told["X-Forwarded-Proto"] == "https"
    assert one.told["X-Forwarded-Port"] == str(front.https.port)
    assert one.told["Host"] == f"{SHOP}:{front.https.port}"
    assert front.code(front.https, "--http1.1") == "200 1.1"
    there = f"https://{SHOP}:{front.https.port}/a%20b?c=d"
    assert front.code(front.http, "-d", "x", path="/a%20b?c=d") == f"308 1.1 {there}"
    head = front.curl(f"https://{SHOP}:{front.https.port}/", "-D", "-").lower()
    assert "strict-transport-security: max-age=86400" in head
    plain = front.curl(f"http://{SHOP}:{front.http.port}/", "-D", "-").lower()
    assert "strict-transport-security" not in plain
    assert plain.count("x-request-id:") == 1
    one.kill()
    page = front.curl(f"https://{SHOP}:{front.https.port}/", "-D", "-").lower()
    assert "x-pushdeploy-error: 502" in page
    assert "strict-transport-security: max-age=86400" in page


def test_a_challenge_is_answered_by_plain_http_and_never_sent_to_https(
    front: Front, serve: Callable[[str], WebServer]
) -> None:
    for https in ("redirect", "only"):
        front.router.switch(secured(serve("one"), https), [], 30, Quiet())
        front.router.challenge("token", "token.thumb")
        path = "/.well-known/acme-challenge/token"
        assert front.code(front.http, path=path) == "200 1.1"


def test_both_serves_plain_http_and_only_refuses_it(
    front: Front, serve: Callable[[str], WebServer]
) -> None:
    one = serve("one")
    front.router.switch(secured(one, "both"), [], 30, Quiet())
    assert front.code(front.http) == "200 1.1"
    front.router.switch(secured(one, "only"), [], 30, Quiet())
    before = one.told
    for path in ("/", "/.pushdeploy/x", "/.pushdeployx", "//.pushdeploy/../x"):
        assert front.code(front.http, "--path-as-is", path=path)[:3] in {"403", "404"}
    assert one.told is before
    assert "https alone" in front.curl(f"http://{SHOP}:{front.http.port}/")
    assert front.code(front.https, "-k") == "200 2"


def test_nobody_is_shown_the_certificate_of_another(
    front: Front, serve: Callable[[str], WebServer]
) -> None:
    good = HERE.sign(SHOP)
    front.router.certificates({SHOP: good.pem})
    front.router.switch(secured(serve("one")), [], 30, Quiet())
    front.router.switch(route_to(serve("two").target, app="blog"), [], 30, Quiet())
    assert front.shown(SHOP) == good.der
    assert front.shown("SHOP.localhost") == good.der
    assert front.shown("blog.localhost") not in {None, good.der}
    for stranger in ("nobody.localhost", "certs/shop.localhost", "x.shop.localhost"):
        assert front.shown(stranger) is None
    assert front.code(front.https, "-H", "Host: nobody.localhost") == "421 2"


def test_a_wildcard_host_is_shown_by_a_wildcard(
    front: Front, serve: Callable[[str], WebServer]
) -> None:
    wild = HostName("*.example.com")
    good, route = HERE.sign(wild), route_to(serve("one").target)
    front.router.certificates({SHOP: None, wild: good.pem})
    site = replace(route.site, hosts=[SHOP, wild], secured=frozenset([wild]))
    front.router.switch(replace(route, site=site), [], 30, Quiet())
    assert front.shown("a.example.com") == good.der
    assert front.code(front.https, host="a.example.com") == "200 2"
    assert front.code(front.http, host="a.example.com")[:3] == "308"
    assert front.code(front.http) == "200 1.1"


def test_a_new_certificate_is_shown_by_the_same_workers(
    front: Front, serve: Callable[[str], WebServer]
) -> None:
    first, second = HERE.sign(SHOP), HERE.sign(SHOP)
    front.router.certificates({SHOP: first.pem})
    front.router.switch(secured(serve("one")), [], 30, Quiet())
    assert front.shown(SHOP) == first.der
    workers = front.workers
    front.router.certificates({SHOP: second.pem})
    assert until(lambda: front.shown(SHOP) == second.der, 10)
    assert front.workers == workers


def test_keys_are_the_workers_alone_and_are_mended(
    front: Front, serve: Callable[[str], WebServer]
) -> None:
    good = HERE.sign(SHOP)
    front.router.certificates({SHOP: good.pem})
    front.router.switch(secured(serve("one")), [], 30, Quiet())
    path = front.file(SHOP)
    if os.geteuid() == 0:
        group = grp.getgrnam(FRONT_USER).gr_gid
        assert (path.stat().st_mode & 0o777, path.stat().st_gid) == (0o640, group)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o710
    path.write_text("damaged")
    path.chmod(0o644)
    front.router._ensure()
    assert path.read_text() == good.pem.text
    assert path.stat().st_mode & 0o007 == 0
    shutil.rmtree(path.parent)
    again = front.make()
    again.start()
    again.certificates({SHOP: good.pem})
    assert until(lambda: front.shown(SHOP) == good.der, 10)
    again.certificates({})
    assert not path.exists()


def test_requests_by_https_are_held_too(front: Front, serve: Callable[[str], WebServer]) -> None:
    good, old, new = HERE.sign(SHOP), serve("old"), serve("new")
    front.router.certificates({SHOP: good.pem})
    front.router.switch(secured(old), [], 30, Quiet())
    url = f"https://{SHOP}:{front.https.port}/"
    with front.router.hold(secured(old), [old.target], 30, Quiet()):
        old.kill()
        asked = subprocess.Popen(
            ["curl", "-sSk", "--noproxy", "*", "--connect-to", f"::{front.https}", url],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert front.code(front.http)[:3] == "308"
    front.router.switch(secured(new), [], 30, Quiet())
    assert asked.communicate(timeout=30)[0] == "new"
