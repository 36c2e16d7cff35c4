"""What nginx gets to read; the golden files show an operator what that is.

``PUSHDEPLOY_GOLDEN=write pytest tests/unit/route -k rendering`` renders them anew.
"""

import os
import re
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

import pytest

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.published import StaticFolder
from pushdeploy.domain.route import Route, Target, held, renamed
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.route.routers.nginx.program import Features
from pushdeploy.route.routers.nginx.rendering import (
    SharedFront,
    WorkerLimits,
    app_file,
    forwarding_file,
    main_file,
    page_files,
)
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.web_servers import route_to

GOLDEN = Path(__file__).parent / "golden"
SHARED = SharedFront(Address("0.0.0.0", 80))
TARGETS = Target("172.17.0.5", 5000), Target("172.17.0.6", 5000)
SERVING = route_to(*TARGETS, version=12)
HOSTS = [*SERVING.site.hosts, HostName.parse("www.example.com"), HostName.parse("*.a.org")]
WITH_DOMAINS = replace(SERVING, site=replace(SERVING.site, hosts=HOSTS))
STOPPED = route_to(version=12, state="stopped")
HELD = held(WITH_DOMAINS)
EMPTY = route_to(version=None, state="empty")
ROOT = WorkerLimits("www-data www-data", 65536)
NEW = Features((1, 31, 3), ("fastcgi", "uwsgi", "scgi"))


def with_folders(*folders: StaticFolder) -> Route:
    return replace(SERVING, site=replace(SERVING.site, static=folders))


def serving(*folders: StaticFolder) -> Route:
    """Without a task."""
    return replace(with_folders(*folders), targets=())


def test_the_main_file_of_a_present_nginx() -> None:
    _compare("nginx.conf", main_file(Templates(), SHARED, ROOT, NEW))


def test_the_main_file_of_an_older_nginx_without_root() -> None:
    old = Features((1, 22, 1), ())
    limits = WorkerLimits("", 1024)
    _compare(
        "nginx-1.22.conf", main_file(Templates(), SharedFront(Address("::", 8080)), limits, old)
    )


def test_no_variable_is_made_twice() -> None:
    """nginx would take the later one for both, in the log as well."""
    text = main_file(Templates(), TLS, ROOT, NEW) + forwarding_file(Templates(), TLS, NEW)
    made = re.findall(r"(?m)^ *(?:map|geo) .*?\$([a-z_0-9]+) \{$", text)
    assert len(made) > 20
    assert sorted(made) == sorted(set(made))


def test_pages_of_ours_tell_of_https_too() -> None:
    page = Templates().render("nginx/page_headers.conf")
    assert "add_header Strict-Transport-Security $pushdeploy_hsts always;" in page


def test_what_apps_are_told_of_a_request() -> None:
    _compare("forwarding.conf", forwarding_file(Templates(), SHARED, NEW))


def test_what_apps_are_told_behind_a_proxy_with_an_older_nginx() -> None:
    behind = replace(SHARED, trusted=[ip_network("10.0.0.0/8"), ip_network("fd00::1")])
    old = Features((1, 22, 1), ())
    _compare("forwarding-trusted-1.22.conf", forwarding_file(Templates(), behind, old))


@pytest.mark.parametrize(
    ("name", "route"),
    [
        *(("serving", WITH_DOMAINS), ("stopped", STOPPED), ("empty", EMPTY), ("held", HELD)),
        ("static", serving(StaticFolder("/", "a" * 64, ["b" * 64, "c" * 64]))),
        ("folders", with_folders(StaticFolder("/static/", "a" * 64))),
    ],
)
def test_the_file_of_an_app(name: str, route: Route) -> None:
    _compare(f"app-{name}.conf", app_file(Templates(), SHARED, route))


def test_the_pages() -> None:
    for name, text in page_files(Templates()).items():
        _compare(f"pages/{name}", text)


def test_ipv6_targets_stand_in_brackets() -> None:
    text = app_file(Templates(), SHARED, route_to(Target("fd00::2", 5000)))
    assert "server [fd00::2]:5000 max_fails=0;" in text


@pytest.mark.parametrize(
    "route",
    [
        route_to(Target("127.0.0.1; include /etc/passwd", 5000)),
        route_to(Target("evil.example.com", 5000)),
        route_to(Target("127.0.0.1", 0)),
        route_to(Target("127.0.0.1", 70_000)),
        renamed(SERVING, AppName("shop; }")),
        replace(SERVING, site=replace(SERVING.site, hosts=[HostName("a.b; return 200")])),
        replace(SERVING, site=replace(SERVING.site, hosts=[HostName("a.b\n}")])),
        replace(SERVING, site=replace(SERVING.site, hosts=[HostName("$http_host")])),
        serving(StaticFolder("/", "../" + "a" * 61)),
        serving(StaticFolder("/", "a" * 64, ["b; }"])),
        *(serving(StaticFolder(at, "a" * 64)) for at in ("", "x", "/x", "/a b/", "/;/", "/$uri/")),
        serving(StaticFolder("/\n/", "a" * 64)),
    ],
)
def test_nothing_but_names_and_addresses_gets_into_a_file(route: Route) -> None:
    with pytest.raises((PushdeployError, ValueError)):
        app_file(Templates(), SHARED, route)


def test_an_operators_template_wins(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "nginx"
    own.mkdir(parents=True)
    (own / "app.conf").write_text("# {{ app }} on {{ http }}\n")
    assert app_file(Templates(tmp_path), SHARED, SERVING) == "# shop on 0.0.0.0:80\n"


def test_so_does_an_operators_template_of_one_concern(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "nginx" / "front"
    own.mkdir(parents=True)
    (own / "limits.conf").write_text("    client_max_body_size 0;\n")
    shipped, text = (app_file(Templates(home), SHARED, SERVING) for home in (None, tmp_path))
    assert text == shipped.replace("client_max_body_size 2000000", "client_max_body_size 0")


def _compare(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("PUSHDEPLOY_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


TLS = replace(SHARED, https=Address("0.0.0.0", 443))
SECURED = replace(
    WITH_DOMAINS, site=replace(WITH_DOMAINS.site, secured=frozenset([*HOSTS[:1], HOSTS[2]]))
)


def test_the_main_file_where_https_is_served() -> None:
    _compare("nginx-tls.conf", main_file(Templates(), TLS, ROOT, NEW))


def test_the_main_file_where_an_older_nginx_serves_https() -> None:
    old = Features((1, 22, 1), ())
    _compare("nginx-tls-1.22.conf", main_file(Templates(), TLS, ROOT, old))


@pytest.mark.parametrize("https", ["redirect", "both", "only"])
def test_the_file_of_an_app_with_certificates(https: Literal["redirect", "both", "only"]) -> None:
    settings = FrontSettings(https=https, hsts="31536000,includeSubDomains")
    route = replace(SECURED, site=replace(SECURED.site, settings=settings))
    _compare(f"app-https-{https}.conf", app_file(Templates(), TLS, route))


def test_another_port_stands_in_the_redirect_and_a_trusted_proxys_word_counts() -> None:
    shared = replace(TLS, https=Address("::", 8443), trusted=[ip_network("10.0.0.0/8")])
    text = app_file(Templates(), shared, SECURED)
    assert "listen [::]:8443 ssl;" in text
    assert "return 308 https://$host:8443$request_uri;" in text
    assert "set $pushdeploy_plain $pushdeploy_scheme$uri;" in text


@pytest.mark.parametrize("value", ['1"; evil on', "1;x", "$host", "preload", "9" * 30])
def test_nothing_else_than_a_value_of_hsts_stands_in_the_header(value: str) -> None:
    site = replace(SECURED.site, settings=FrontSettings(hsts=value))
    assert "hsts" not in app_file(Templates(), TLS, replace(SECURED, site=site))


def test_files_that_are_served_without_a_task_have_the_header_too() -> None:
    folder = StaticFolder("/", "0" * 64)
    settings = FrontSettings(hsts="86400")
    site = replace(SECURED.site, static=[folder], settings=settings, secured=frozenset(HOSTS))
    text = app_file(Templates(), TLS, replace(SECURED, site=site, targets=()))
    assert "proxy_pass" not in text
    answering = text.count("        add_header X-Request-Id $pushdeploy_request_id always;")
    told = text.count("add_header Strict-Transport-Security $pushdeploy_hsts always;")
    assert told == answering > 2
