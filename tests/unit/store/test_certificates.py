"""Certificates in the store, with their keys."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from pushdeploy.certificates.wishes import Wishes
from pushdeploy.domain.certificate import Pem
from pushdeploy.domain.errors import UnknownApp, UserError
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.store import Store, migrations
from pushdeploy.upkeep.automatic_certificates import AutomaticCertificates
from tests.unit.domain.test_certificate import certificate
from tests.unit.samples import BLOG, HOST, SHOP

PEM = Pem("a chain", "a key")


@pytest.fixture(autouse=True)
def apps(store: Store) -> None:
    store.apps.create(SHOP)
    store.apps.create(BLOG)


def test_what_was_kept_is_found_with_its_key_beside(store: Store) -> None:
    kept = store.certificates.add(certificate(HOST, "*.example.com", host=HOST), PEM)
    assert store.certificates.list() == [kept] == store.certificates.list(SHOP)
    assert store.certificates.list(BLOG) == []
    assert (kept.app, kept.host, kept.names) == (SHOP, HOST, (HOST, "*.example.com"))
    assert store.certificates.pems([kept.id, 99]) == {kept.id: PEM}


def test_a_new_one_takes_the_place_of_what_names_the_same_hosts(store: Store) -> None:
    add = store.certificates.add
    other = add(certificate("b.org"), PEM)
    for place in ({"host": HOST}, {"app": None}, {"app": None, "kind": "acme", "host": HOST}, {}):
        add(certificate(HOST, **place), PEM)
        kept = add(certificate(HOST, fingerprint="new", **place), PEM)
        assert [each for each in store.certificates.list() if each.fingerprint == "new"][-1] == kept
    assert len(store.certificates.list()) == 5
    assert store.certificates.get(other.id) == other


def test_those_of_an_app_follow_its_name_and_go_with_it(store: Store) -> None:
    kept = store.certificates.add(certificate(HOST), PEM)
    for_all = store.certificates.add(certificate(HOST, app=None), PEM)
    store.apps.rename(SHOP, AppName("store"))
    assert store.certificates.get(kept.id).app == AppName("store")
    store.apps.destroy(AppName("store"))
    assert store.certificates.list() == [for_all]


def test_what_is_removed_is_gone_with_its_key(store: Store) -> None:
    kept = store.certificates.add(certificate(HOST), PEM)
    store.certificates.remove(kept.id, 99)
    assert store.certificates.pems([kept.id]) == {}
    with pytest.raises(UserError, match=f"no certificate {kept.id}"):
        store.certificates.get(kept.id)


def test_an_app_that_is_gone_gets_none(store: Store) -> None:
    with pytest.raises(UnknownApp):
        store.certificates.add(certificate(HOST, app=AppName("gone")), PEM)


def test_a_database_of_the_version_before_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "before.sqlite3"
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
    engine.dispose()
    with closing(sqlite3.connect(path)) as before:
        before.execute(
            "INSERT INTO apps (name, created_at, settings, formation, config, disks, stopped,"
            " last_version) VALUES ('shop', '2026-01-31', '{}', '{}', '{}', '[]', 0, 0)"
        )
        before.commit()
    with closing(Store.open(f"sqlite:///{path}")) as store:
        kept = store.certificates.add(certificate(HOST, host=HostName(HOST)), PEM)
        assert store.certificates.list(SHOP) == [kept]


def test_of_thousands_of_automatic_ones_those_of_the_hosts_are_near(store: Store) -> None:
    for name in ("a.org", "*.b.org", "c.org", "*.d.org"):
        store.certificates.add(certificate(name, app=None, kind="acme"), PEM)
    store.certificates.add(certificate("e.org", app=None), PEM)
    near = store.certificates.near(SHOP, [HostName("a.org"), HostName("www.b.org")])
    assert [each.names[0] for each in near] == ["a.org", "*.b.org", "e.org"]


def test_an_automatic_one_goes_with_its_key_an_hour_after_its_host(store: Store) -> None:
    wishes = Wishes(store, "apps.test", None, True)  # type: ignore[arg-type]
    upkeep = AutomaticCertificates(store, wishes, None, lambda name, issued: None)  # type: ignore[arg-type]
    store.domains.add(SHOP, HOST)
    for name in (HOST, "shop.apps.test", "*.apps.test", "gone.org"):
        store.certificates.add(certificate(name, app=None, kind="acme"), PEM)
    now, hour = datetime.now(UTC), timedelta(hours=1)
    upkeep.remove_left_over(now)
    assert len(store.certificates.list()) == 4
    upkeep.remove_left_over(now + hour)
    assert [each.names[0] for each in store.certificates.list()] == [
        HOST,
        "shop.apps.test",
        "*.apps.test",
    ]
    store.domains.remove(SHOP, HOST)
    upkeep.remove_left_over(now + hour)
    store.domains.add(SHOP, HOST)
    upkeep.remove_left_over(now + 2 * hour)
    assert len(store.certificates.list()) == 3
