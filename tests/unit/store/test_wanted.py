"""Config vars, disks, domains and keys: what people asked for."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName, HostName, KeyName
from pushdeploy.store import Store
from tests.unit.samples import BLOG, DATA, HOST, SHOP, key


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(config=st.dictionaries(st.text(), st.text()))
def test_any_config_comes_back_as_it_went_in(store: Store, config: Mapping[str, str]) -> None:
    if store.apps.find(SHOP) is None:
        store.apps.create(SHOP)
    store.config.replace(SHOP, config)
    assert store.config.get(SHOP) == config


def test_disks_come_back_in_their_order(store: Store) -> None:
    store.apps.create(SHOP)
    wanted = [Attachment(DiskName("uploads"), "/app/uploads"), Attachment(DATA, "/data")]
    store.disks.replace(SHOP, wanted)
    assert list(store.disks.of(SHOP)) == wanted
    store.disks.replace(SHOP, [])
    assert list(store.disks.of(SHOP)) == []


def test_domains_are_shown_in_the_order_in_which_they_were_added(store: Store) -> None:
    store.apps.create(SHOP)
    store.apps.create(BLOG)
    for host in ("z.example.com", "a.example.com"):
        store.domains.add(SHOP, HostName(host))
    store.domains.add(BLOG, HOST)

    assert store.domains.of(SHOP) == ["z.example.com", "a.example.com"]
    assert store.domains.all() == {SHOP: ["z.example.com", "a.example.com"], BLOG: [HOST]}


def test_domain_that_another_app_has_is_refused_with_its_name(store: Store) -> None:
    store.apps.create(SHOP)
    store.apps.create(BLOG)
    store.domains.add(SHOP, HOST)
    with pytest.raises(UserError, match=r"www\.example\.com belongs to shop already"):
        store.domains.add(BLOG, HOST)


def test_only_the_app_that_has_a_domain_can_remove_it(store: Store) -> None:
    store.apps.create(SHOP)
    store.apps.create(BLOG)
    store.domains.add(SHOP, HOST)
    with pytest.raises(UserError, match="blog has no domain"):
        store.domains.remove(BLOG, HOST)
    store.domains.remove(SHOP, HOST)
    assert store.domains.of(SHOP) == []


def test_key_is_found_by_kind_and_bytes_and_by_nothing_less(store: Store) -> None:
    alice = key("alice")
    store.keys.add(alice)
    assert store.keys.find("ssh-ed25519", alice.base64) == "alice"
    assert store.keys.find("ssh-rsa", alice.base64) is None
    assert store.keys.find("ssh-ed25519", alice.base64[:-1]) is None
    assert store.keys.list() == [alice]


def test_duplicate_key_is_refused_with_what_is_there_already(store: Store) -> None:
    store.keys.add(key("alice"))
    with pytest.raises(UserError, match="there is a key alice already"):
        store.keys.add(key("alice", "another"))
    with pytest.raises(UserError, match="this key is there already, as alice"):
        store.keys.add(key("bob", "alice"))


def test_removed_key_lets_nobody_in(store: Store) -> None:
    store.keys.add(key("alice"))
    store.keys.remove(KeyName("alice"))
    assert store.keys.find("ssh-ed25519", key("alice").base64) is None
    with pytest.raises(UserError, match="there is no key alice"):
        store.keys.remove(KeyName("alice"))
