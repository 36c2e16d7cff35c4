"""Which host names an app may have, as a table."""

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.hosts import refuse_host, refuse_taken_name
from pushdeploy.domain.names import AppName, HostName

SHOP, BLOG = AppName("shop"), AppName("blog")
DOMAIN = "apps.example.com"
SUFFIXES = {"com", "co.uk", "dev"}


def check(host: str, domain: str = DOMAIN) -> None:
    refuse_host(SHOP, HostName.parse(host), domain, SUFFIXES.__contains__)


@pytest.mark.parametrize(
    "host",
    [
        "shop.example.com",
        "example.com",
        "www.apps.example.org",
        "myapps.example.com",
        "apps.example.com.example.org",
        "*.shop.example.org",
        "*.example.co.uk",
        "intranet",
        "printer.intranet",
        "1.example.com",
        "0x7f.example.com",
        "10.0.0.1.nip.io",
        "x.shop.apps.example.com",
        "a.b.shop.apps.example.com",
        "*.shop.apps.example.com",
        "shop.localhost",
    ],
)
def test_what_an_app_may_have(host: str) -> None:
    check(host)


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("apps.example.com", "this server's own domain"),
        ("*.apps.example.com", "the names of all apps"),
        ("*.example.com", "the names of all apps"),
        ("*.com", "the names of all apps"),
        ("com", "nobody's own"),
        ("co.uk", "nobody's own"),
        ("*.co.uk", "nobody's own"),
        ("*.dev", "nobody's own"),
        ("*.unheardof", "nobody's own"),
        ("blog.apps.example.com", "belongs to the app blog"),
        ("x.blog.apps.example.com", "belongs to the app blog"),
        ("*.blog.apps.example.com", "belongs to the app blog"),
        ("shop.blog.apps.example.com", "belongs to the app blog"),
        ("1.2.3.4", "an address"),
        ("127.1", "an address"),
        ("2130706433", "an address"),
        ("0x7f000001", "an address"),
        ("0x7f.0.0.1", "an address"),
        ("0177.0.0.01", "an address"),
        ("1.2.3.0x", "an address"),
        ("www.example.256", "an address"),
        ("*.0.0.1", "an address"),
    ],
)
def test_what_no_app_may_have(host: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        check(host)


@pytest.mark.parametrize("host", ["localhost", "*.localhost", "blog.localhost", "a.blog.localhost"])
def test_names_below_localhost_are_kept_for_apps_too(host: str) -> None:
    with pytest.raises(UserError):
        check(host, "localhost")
    check("x.shop.localhost", "localhost")


@pytest.mark.parametrize(
    "taken", ["shop.apps.example.com", "x.shop.apps.example.com", "*.shop.apps.example.com"]
)
def test_a_name_whose_hosts_another_app_has_is_taken(taken: str) -> None:
    with pytest.raises(UserError, match="is a domain of blog already") as refused:
        refuse_taken_name(SHOP, DOMAIN, {BLOG: [HostName(taken)]})
    assert refused.value.hint.endswith(f"domains:remove blog {taken}")


def test_what_has_been_let_in_before_keeps_nobody_from_making_apps() -> None:
    old = [
        "*.apps.example.com",
        "*.com",
        "1.2.3.4",
        "apps.example.com",
        "shopping.apps.example.com",
    ]
    refuse_taken_name(SHOP, DOMAIN, {BLOG: [HostName(host) for host in old]})
