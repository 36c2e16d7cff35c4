"""Names get their automatic certificates by themselves; none holds up another."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from pushdeploy.certificates.automatic.dns_hook import DnsHook
from pushdeploy.certificates.automatic.keeping import Keeping
from pushdeploy.certificates.choice import Certificates
from pushdeploy.certificates.wishes import Wishes
from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.route.deadline import until
from pushdeploy.upkeep.automatic_certificates import AutomaticCertificates, Job
from tests.certificate_authority import Pebble
from tests.certificate_front import CertificateFront, Refusal
from tests.memory import MemoryRouter
from tests.ordering import Customer

SHOP = AppName("shop")
WAIT_SECONDS = 60
NAMES = [HostName(f"{name}.example.com") for name in ("one", "two", "three")]


class Server:
    """The chore of a server whose app has hosts, and what visitors of these are shown."""

    def __init__(self, customer: Customer, **changed: object) -> None:
        self.store, self.shown = customer.store, MemoryRouter()
        certificates = Certificates(self.store, self.shown, "apps.test")
        keep = Keeping(self.store, certificates).keep
        hook = DnsHook(Lifecycle(customer.home))
        self.wishes = Wishes(self.store, "apps.test", hook, public=False)
        self.chore = AutomaticCertificates(
            self.store, self.wishes, customer.issuing(**changed), keep
        )
        self.stopping = threading.Event()

    def add(self, *names: HostName) -> None:
        if not self.store.apps.list():
            self.store.apps.create(SHOP)
        for name in names:
            self.store.domains.add(SHOP, name)

    def turn(self) -> None:
        """One turn, and what it has begun."""
        self.chore.turn(self.stopping)
        assert until(lambda: not self.chore._at_work, WAIT_SECONDS)

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self.chore.watch, args=[self.stopping])
        thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            thread.join()

    def attempt(self, name: HostName) -> Attempt:
        return self.store.attempts.get(name)

    def fingerprint(self, name: HostName) -> str | None:
        present = self.wishes.present().get(name)
        return present.fingerprint if present else None


@pytest.fixture
def server(customer: Customer) -> Server:
    return Server(customer)


def moved(store: object, name: HostName, change: Callable[[Attempt], Attempt]) -> None:
    attempts = store.attempts  # type: ignore[attr-defined]
    attempts.save(change(attempts.get(name)))


def test_a_name_that_leads_nowhere_tells_why_while_the_others_get_theirs(
    server: Server, pebble: Pebble
) -> None:
    server.add(*NAMES, HostName("gone.example.com"), HostName("shop.localhost"))
    pebble.names.lead_unknown("")
    for name in NAMES:
        pebble.names.lead(name, "127.0.0.1")
    try:
        server.turn()
    finally:
        pebble.names.lead_unknown("127.0.0.1")
        for name in NAMES:
            pebble.names.forget(name)
    assert {name for name in NAMES if server.fingerprint(name)} == set(NAMES)
    assert set(NAMES) <= server.shown.shown.keys()
    failed = server.attempt(HostName("gone.example.com"))
    assert failed.tries == 1
    assert failed.error.startswith("gone.example.com does not resolve")
    assert failed.next_at is not None
    assert failed.next_at > datetime.now(UTC)
    assert HostName("shop.localhost") not in server.store.attempts.all()
    server.turn()
    assert server.attempt(HostName("gone.example.com")) == failed
    moved(server.store, failed.name, lambda attempt: attempt.wanted_at_once(datetime.now(UTC)))
    server.turn()
    assert server.fingerprint(failed.name) is not None
    assert server.attempt(failed.name).error == ""


def test_an_added_domain_gets_its_certificate_as_soon_as_the_chore_is_woken(
    server: Server,
) -> None:
    server.add()
    with server.watching():
        server.add(NAMES[0])
        server.chore.wake()
        assert until(lambda: server.fingerprint(NAMES[0]) is not None, WAIT_SECONDS)


def test_a_name_is_not_ordered_before_the_moment_that_the_authority_has_named(
    customer: Customer, front: CertificateFront
) -> None:
    server = Server(customer, directory=front.directory)
    server.add(NAMES[0])
    front.refusals.append(Refusal("/order-plz", 429, "rateLimited", {"Retry-After": "86400"}))
    before = datetime.now(UTC)
    for _ in range(3):
        server.turn()
    assert front.count("/order-plz") == 1
    attempt = server.attempt(NAMES[0])
    assert attempt.patience_until is not None
    assert attempt.next_at is not None
    assert attempt.next_at >= attempt.patience_until >= before + timedelta(days=1)


def test_an_authority_that_is_down_is_asked_again_and_the_order_gone_on_with(
    customer: Customer, front: CertificateFront
) -> None:
    server = Server(customer, directory=front.directory)
    server.add(NAMES[0])
    front.refusals.append(Refusal("/finalize-order/", 503, "serverInternal"))
    server.turn()
    attempt = server.attempt(NAMES[0])
    assert attempt.order_url
    assert attempt.error.startswith("the CA has trouble of its own")
    moved(server.store, NAMES[0], lambda attempt: attempt.wanted_at_once(datetime.now(UTC)))
    server.turn()
    assert server.fingerprint(NAMES[0]) is not None
    assert front.count("/order-plz") == 1


def test_a_certificate_is_renewed_when_two_thirds_of_its_life_are_over(
    customer: Customer, server: Server, running: Pebble
) -> None:
    running.stop()
    running.start(customer.front.port, config={"certificateValidityPeriod": 12})
    server.add(NAMES[0])
    with server.watching():
        assert until(lambda: server.fingerprint(NAMES[0]) is not None, WAIT_SECONDS)
        first = server.fingerprint(NAMES[0])
        assert until(lambda: server.fingerprint(NAMES[0]) != first, WAIT_SECONDS)
    present = server.wishes.present()[NAMES[0]]
    assert present.created_at < present.not_after
    assert len(server.store.certificates.list()) == 1


def test_an_authority_that_says_now_has_its_certificate_renewed_once(
    customer: Customer, front: CertificateFront
) -> None:
    server = Server(customer, directory=front.directory)
    server.add(NAMES[0])
    server.turn()
    first = server.fingerprint(NAMES[0])
    now = datetime.now(UTC).replace(microsecond=0)
    front.window = (now - timedelta(hours=2), now - timedelta(hours=1))
    moved(server.store, NAMES[0], lambda attempt: attempt.suggested(None, now))
    server.turn()  # asks
    server.turn()  # renews
    second = server.fingerprint(NAMES[0])
    assert second not in {None, first}
    server.turn()
    assert server.fingerprint(NAMES[0]) == second
    assert front.count("/order-plz") == 2


def test_an_authority_that_does_not_say_when_to_renew_is_not_asked_in_a_loop(
    customer: Customer, front: CertificateFront
) -> None:
    server = Server(customer, directory=front.directory)
    server.add(NAMES[0])
    server.turn()
    now = datetime.now(UTC)
    front.window = (now, now)
    moved(server.store, NAMES[0], lambda attempt: attempt.suggested(None, now))
    front.refusals.append(Refusal("/renewal-info/", 500, "serverInternal", times=9))
    for _ in range(3):
        server.turn()
    assert front.count("/renewal-info/") == 1


def test_another_authority_replaces_what_the_former_has_given(
    customer: Customer, server: Server, front: CertificateFront
) -> None:
    server.add(NAMES[0])
    server.turn()
    first = server.fingerprint(NAMES[0])
    later = Server(customer, directory=front.directory)
    later.turn()
    assert later.fingerprint(NAMES[0]) not in {None, first}
    second = later.fingerprint(NAMES[0])
    later.turn()
    assert later.fingerprint(NAMES[0]) == second


def test_names_that_nobody_wants_any_more_are_forgotten(server: Server, pebble: Pebble) -> None:
    pebble.names.lead_unknown("")
    server.add(NAMES[0])
    try:
        server.turn()
    finally:
        pebble.names.lead_unknown("127.0.0.1")
    assert NAMES[0] in server.store.attempts.all()
    server.store.domains.remove(SHOP, NAMES[0])
    server.turn()
    assert server.store.attempts.all() == {}


def test_a_script_that_takes_long_holds_up_no_other_name(
    customer: Customer, server: Server
) -> None:
    hook = customer.home / "hooks" / "dns-01"
    hook.parent.mkdir()
    hook.write_text("read _ <go\nexit 1\n")
    gate = customer.home / "go"
    os.mkfifo(gate)
    server.add(HostName("*.example.com"), HostName("other.example.org"))
    server.chore.turn(server.stopping)
    assert until(lambda: server.fingerprint(HostName("other.example.org")) is not None, 60)
    assert until(lambda: server.chore._at_work == {"*.example.com"}, WAIT_SECONDS)
    gate.write_text("go on\n")
    assert until(lambda: not server.chore._at_work, WAIT_SECONDS)
    assert "the dns-01 hook failed" in server.attempt(HostName("*.example.com")).error


def test_a_turn_that_has_looked_before_a_job_ended_orders_nothing_twice(
    customer: Customer, front: CertificateFront
) -> None:
    server = Server(customer, directory=front.directory)
    server.add(NAMES[0])
    server.turn()
    server.chore._begin(Job(NAMES[0]), server.stopping)
    assert until(lambda: not server.chore._at_work, WAIT_SECONDS)
    assert front.count("/order-plz") == 1
