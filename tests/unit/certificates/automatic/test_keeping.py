"""What an authority has given is kept when it is what was ordered, shown at once or later."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pushdeploy.certificates.automatic.issuing import Issued
from pushdeploy.certificates.automatic.keeping import Keeping, certificate_of
from pushdeploy.certificates.automatic.refusals import CaRefused
from pushdeploy.certificates.choice import Certificates
from pushdeploy.domain.certificate import Pem
from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import HostName
from pushdeploy.store import Store
from tests.memory import MemoryRouter
from tests.ordering import Customer

NAME = HostName("shop.example.com")


class FullRouter(MemoryRouter):
    def certificates(self, pems: Mapping[HostName, Pem | None]) -> None:
        raise BackendDown("no space left on device")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'kept.sqlite3'}")
    yield opened
    opened.close()


def test_only_what_was_ordered_is_kept(customer: Customer, store: Store) -> None:
    issued, other = customer.obtain(NAME), customer.obtain("other.example.com")
    keeping = Keeping(store, Certificates(store, MemoryRouter(), "apps.test"))
    for wrong in (
        replace(issued, key_pem=other.key_pem),
        other,
        Issued("", issued.key_pem),
        Issued("no certificate", issued.key_pem),
    ):
        with pytest.raises(CaRefused, match="the CA has given"):
            keeping.keep(NAME, wrong)
    assert store.certificates.list() == []
    keeping.keep(NAME, issued)
    [kept] = store.certificates.list()
    assert (kept.kind, kept.names, kept.key_type) == ("acme", (NAME,), "EC P-256")
    assert kept.issuer.startswith("Pebble Intermediate CA")
    assert certificate_of(NAME, issued).fingerprint == kept.fingerprint


def test_what_cannot_be_shown_now_is_kept_all_the_same(customer: Customer, store: Store) -> None:
    Keeping(store, Certificates(store, FullRouter(), "apps.test")).keep(NAME, customer.obtain(NAME))
    assert len(store.certificates.list()) == 1
