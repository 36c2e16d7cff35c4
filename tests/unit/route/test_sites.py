"""The names and addresses of apps, from a real store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pushdeploy.domain.certificate import SELF_SIGNED, Pem, secured, served
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import HostName
from pushdeploy.domain.site import url_of
from pushdeploy.route.sites import Sites
from pushdeploy.store import Store
from tests.databases import open_store
from tests.unit.domain.test_certificate import certificate
from tests.unit.samples import BLOG, HOST, SHOP

WILD = HostName("*.example.org")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "pushdeploy.sqlite3")
    for name in (SHOP, BLOG):
        opened.apps.create(name)
    yield opened
    opened.close()


@pytest.fixture
def sites(store: Store) -> Sites:
    return Sites(store.apps, store.domains, "apps.test", 8080)


def test_an_app_answers_on_its_default_host_and_on_its_domains(store: Store, sites: Sites) -> None:
    assert sites.hosts(SHOP) == ["shop.apps.test"]
    store.domains.add(SHOP, WILD)
    store.domains.add(SHOP, HOST)
    assert sites.hosts(SHOP) == ["shop.apps.test", WILD, HOST]
    assert sites.hosts(BLOG) == ["blog.apps.test"]


def test_the_default_host_is_the_first_address_and_a_wildcard_is_none(
    store: Store, sites: Sites
) -> None:
    store.domains.add(SHOP, WILD)
    store.domains.add(SHOP, HOST)
    assert sites.url(SHOP) == "http://shop.apps.test:8080"
    assert sites.urls(SHOP) == [sites.url(SHOP), f"http://{HOST}:8080"]


def test_nobody_is_sent_to_a_page_that_warns(store: Store) -> None:
    sites = Sites(store.apps, store.domains, "apps.test", 80, certificates=store.certificates)
    now, host, day = datetime.now(UTC), HostName("shop.apps.test"), timedelta(days=1)
    good = certificate(host, not_before=now - day, not_after=now + day)
    bad = (
        replace(good, not_after=now),
        replace(good, not_before=now + day / 2),
        replace(good, issuer=SELF_SIGNED),
    )
    for each, is_secured in (*((each, False) for each in bad), (good, True)):
        store.certificates.add(each, Pem("a chain", "a key"))
        hosts = frozenset([host] if is_secured else [])
        assert sites.route(store.apps.get(SHOP), None, []).site.secured == hosts
        assert sites.url(SHOP) == url_of(host, 0 if is_secured else 80, https=is_secured)
        found = served({SHOP: [host]}, store.certificates.list(), now)
        assert secured(found, now) == ({SHOP: hosts} if is_secured else {})
        assert found[0].certificate is not None  # https is served as before


def test_port_80_goes_without_saying(store: Store) -> None:
    assert Sites(store.apps, store.domains, "apps.test", 80).url(SHOP) == "http://shop.apps.test"


def test_the_route_of_an_app_has_all_its_hosts(store: Store, sites: Sites) -> None:
    store.domains.add(SHOP, HOST)
    route = sites.route(store.apps.get(SHOP), None, [])
    assert (route.site.hosts, route.site.state) == (["shop.apps.test", HOST], "empty")


def test_only_hosts_that_the_app_has_not_are_new_each_once(store: Store, sites: Sites) -> None:
    store.domains.add(SHOP, HOST)
    wanted = [HOST, WILD, HostName("shop.apps.test"), WILD]
    assert sites.new_hosts(SHOP, wanted) == [WILD]
    with pytest.raises(UserError, match="belongs to the app blog"):
        sites.new_hosts(SHOP, [HostName("www.blog.apps.test")])


def test_no_app_takes_a_name_whose_host_another_has(store: Store, sites: Sites) -> None:
    sites.refuse_taken_name(BLOG)
    store.domains.add(SHOP, HostName("blog.apps.test"))
    with pytest.raises(UserError, match=r"blog\.apps\.test is a domain of shop"):
        sites.refuse_taken_name(BLOG)
