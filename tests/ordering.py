"""A real certificate authority, a real nginx that it asks, and who orders certificates there.

Whoever wants these fixtures imports them in a conftest.py."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pushdeploy.certificates.automatic.accounts import Accounts, Authority
from pushdeploy.certificates.automatic.dns_hook import DnsHook
from pushdeploy.certificates.automatic.issuing import Issued, Issuing
from pushdeploy.certificates.automatic.name_servers import NameServers
from pushdeploy.certificates.automatic.self_check import SelfCheck
from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.names import HostName
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from pushdeploy.store import Store
from pushdeploy.templating import Templates
from tests.certificate_authority import Pebble, certificate_authority
from tests.certificate_front import CertificateFront, certificate_front
from tests.stories.means import free_ports
from tests.web_servers import free_address


@dataclass
class Customer:
    """A server as its certificate authority sees it; ``kept`` is what it writes down meanwhile."""

    home: Path
    front: Address
    router: Nginx
    store: Store
    authority: Authority
    names: NameServers
    kept: list[Attempt] = field(default_factory=list)

    def issuing(self, **changed: object) -> Issuing:
        authority = replace(self.authority, **changed)  # type: ignore[arg-type]
        accounts = Accounts(authority, self.store.acme_accounts)
        check, hook = SelfCheck(self.front, self.names), DnsHook(Lifecycle(self.home))
        return Issuing(authority, accounts, self.router, check, hook)

    def obtain(self, name: str, present: str = "", **changed: object) -> Issued:
        """Go on with what was kept, as after a start."""
        attempt = Attempt(HostName.parse(name))
        attempt = next((each for each in reversed(self.kept) if each.name == name), attempt)
        issuing = self.issuing(**changed)
        return issuing.obtain(attempt, present, self.kept.append, threading.Event())


@pytest.fixture(scope="module")
def address() -> Address:
    return free_address()


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory, address: Address) -> Iterator[Pebble]:
    """One for all tests of a file. A customer brings an account of its own."""
    root = tmp_path_factory.mktemp("pebble")
    with certificate_authority(root, free_ports(4)) as pebble:
        pebble.start(address.port)
        yield pebble


@pytest.fixture
def running(pebble: Pebble, address: Address) -> Iterator[Pebble]:
    """To be stopped, or started in another way: afterwards it runs in the usual one."""
    yield pebble
    pebble.stop()
    pebble.start(address.port)


@pytest.fixture
def front(pebble: Pebble) -> Iterator[CertificateFront]:
    with certificate_front(pebble) as front:
        yield front


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory, address: Address) -> Iterator[Nginx]:
    home = tmp_path_factory.mktemp("front")
    router = Nginx(home, SharedFront(address), Templates(home))
    router.start()
    yield router
    router.stop()


@pytest.fixture
def customer(tmp_path: Path, pebble: Pebble, router: Nginx, address: Address) -> Iterator[Customer]:
    store = Store.open(f"sqlite:///{tmp_path / 'pushdeploy.sqlite3'}")
    authority = Authority(pebble.directory, "ada@example.org", ca_bundle=pebble.bundle)
    names = NameServers(pebble.names.address)
    yield Customer(tmp_path, address, router, store, authority, names)
    store.close()
