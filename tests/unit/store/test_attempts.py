"""The ledger of attempts, the accounts with authorities, and a database of before them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pushdeploy.domain.acme_account import AcmeAccount
from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.names import HostName
from pushdeploy.store import Store
from tests.databases import make_older
from tests.unit.samples import SHOP

NAME = HostName("shop.example.com")
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
CA = "https://ca.example.net/dir"


def test_an_attempt_is_kept_as_it_is(store: Store) -> None:
    assert store.attempts.get(NAME) == Attempt(NAME)
    attempt = Attempt(NAME, CA).ordered(f"{CA}/1", "a key").failed("why\0", "do", NOW, NOW)
    attempt = attempt.suggested(NOW, NOW + timedelta(hours=6))
    store.attempts.save(attempt)
    store.attempts.save(Attempt(HostName("*.example.com")))
    kept = store.attempts.get(NAME)
    assert (kept.error, kept.hint, kept.tries) == ("why\ufffd", "do", 1)
    assert store.attempts.all() == {
        NAME: kept,
        "*.example.com": Attempt(HostName("*.example.com")),
    }
    assert (kept.order_url, kept.key_pem, kept.renew_at) == (f"{CA}/1", "a key", NOW)
    store.attempts.save(kept.done(NOW))
    assert store.attempts.get(NAME) == Attempt(NAME, CA, last_at=NOW)
    store.attempts.remove(NAME)
    assert NAME not in store.attempts.all()


def test_there_is_one_account_with_each_authority(store: Store) -> None:
    accounts = store.acme_accounts
    assert accounts.get(CA) is None
    for number in (1, 2):
        accounts.save(AcmeAccount(CA, f"{CA}/{number}", '{"d": 1}', "", NOW))
    accounts.save(AcmeAccount(f"{CA}2", "other", "{}", "kid", NOW))
    assert accounts.get(CA) == AcmeAccount(CA, f"{CA}/2", '{"d": 1}', "", NOW)
    accounts.remove(CA)
    assert accounts.get(CA) is None
    assert accounts.get(f"{CA}2") is not None


def test_a_database_of_before_gets_the_ledger_and_keeps_the_rest(
    store: Store, url: str, tmp_path: Path
) -> None:
    store.apps.create(SHOP)
    make_older(store, "0006")
    store.close()
    later = Store.open(url)
    assert [app.name for app in later.apps.list()] == [SHOP]
    assert later.attempts.all() == {}
    later.close()
