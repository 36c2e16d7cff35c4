"""Issuing: how one name gets its automatic certificate, step by step."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pushdeploy.certificates.automatic.accounts import Accounts, Authority
from pushdeploy.certificates.automatic.dns_hook import DnsHook, HookFailed, record_name
from pushdeploy.certificates.automatic.orders import (
    Order,
    Orders,
    Proof,
    ProofKind,
    Suggestion,
)
from pushdeploy.certificates.automatic.refusals import (
    CaDown,
    CaRefused,
    OrderGone,
    UnknownAccount,
)
from pushdeploy.certificates.automatic.self_check import NotReady, SelfCheck
from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.automatic import is_wild
from pushdeploy.domain.errors import Cancelled
from pushdeploy.domain.names import HostName
from pushdeploy.domain.ports.router import Router

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 180
"""How long the CA may take to look, and to sign; the order is gone on with later."""

RECORD_SECONDS = 120
"""How long a record that the script has written may take to be seen."""

_LATER = "nothing: the order is gone on with at the next try"
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Issued:
    """``chain_pem`` begins with the certificate itself."""

    chain_pem: str
    key_pem: str


@dataclass(frozen=True, slots=True)
class Issuing:
    """Names are proved to be ours through ``router`` or, wildcards, through ``dns_hook``."""

    authority: Authority
    accounts: Accounts
    router: Router
    self_check: SelfCheck
    dns_hook: DnsHook

    def obtain(
        self,
        attempt: Attempt,
        present_pem: str,
        keep: Callable[[Attempt], None],
        stopping: threading.Event,
    ) -> Issued:
        """Get a certificate for the name, by the order that it has or by a new one.

        ``keep`` is called with what the next try must know, as soon as there is an order; a
        certificate that is ``present_pem`` already is none. ``NotReady``, ``HookFailed`` or
        ``CaRefused`` says why there is none; ``Cancelled`` when the server stops.
        """
        if not is_wild(attempt.name):
            self.self_check.refuse_unknown(attempt.name)
        try:
            return self._obtain(attempt, present_pem, keep, stopping)
        except UnknownAccount as refused:
            self.accounts.replace(refused)
        keep(attempt.without_order())
        return self._obtain(attempt.without_order(), present_pem, keep, stopping)

    def suggestion(self, chain_pem: str) -> Suggestion:
        """Ask the CA when the certificate should be renewed; ``CaRefused`` without an answer."""
        return Orders(self.authority, self.accounts.member()).suggestion(chain_pem)

    def _obtain(
        self,
        attempt: Attempt,
        present_pem: str,
        keep: Callable[[Attempt], None],
        stopping: threading.Event,
    ) -> Issued:
        orders = Orders(self.authority, self.accounts.member())
        if attempt.order_url:
            with suppress(OrderGone):
                issued = self._go_on(orders, attempt, stopping)
                if issued.chain_pem != present_pem:
                    return issued
        key_pem = _new_key()
        order = orders.place(attempt.name)
        attempt = attempt.ordered(order.url, key_pem)
        keep(attempt)
        return self._go_on(orders, attempt, stopping)

    def _go_on(self, orders: Orders, attempt: Attempt, stopping: threading.Event) -> Issued:
        """Do what is left of an order, however far it has come; ``OrderGone`` for one that is
        over."""
        name, key_pem = attempt.name, attempt.key_pem
        order = orders.look_at(attempt.order_url)
        if order.status == "invalid":
            raise OrderGone(f"the CA has ended the order: {order.trouble}")
        if order.status == "pending":
            for url in order.proofs_at:
                self._prove(orders, name, url, stopping)
        order = self._awaited(orders, order.url, {"ready", "processing", "valid"}, stopping)
        if order.status == "ready":
            orders.finish(order, name, key_pem)
            order = self._awaited(orders, order.url, {"valid"}, stopping)
        elif order.status == "processing":
            order = self._awaited(orders, order.url, {"valid"}, stopping)
        return Issued(orders.certificate(order), key_pem)

    def _prove(self, orders: Orders, name: HostName, url: str, stopping: threading.Event) -> None:
        kind: ProofKind = "dns-01" if is_wild(name) else "http-01"
        proof = orders.proof(name, url, kind)
        if not proof.is_pending:
            return
        shown = self._record(name, proof, stopping) if is_wild(name) else self._token(name, proof)
        with shown:
            orders.begin(proof, kind)
            for _ in _looks(stopping, PATIENCE_SECONDS):
                if not orders.proof(name, url, kind).is_pending:
                    return
        raise CaDown(f"the CA has not looked at {name} yet", _LATER)

    @contextmanager
    def _token(self, name: HostName, proof: Proof) -> Iterator[None]:
        self.router.challenge(proof.token, proof.answer)
        try:
            self.self_check.refuse_unanswered(name, proof.token, proof.answer)
            yield
        finally:
            self.router.challenge(proof.token, None)

    @contextmanager
    def _record(self, name: HostName, proof: Proof, stopping: threading.Event) -> Iterator[None]:
        self.dns_hook.add(name, proof.answer)
        try:
            self._await_record(name, proof.answer, stopping)
            yield
        finally:
            self._remove_record(name, proof.answer)

    def _remove_record(self, name: HostName, value: str) -> None:
        """A record that stays does no harm."""
        try:
            self.dns_hook.remove(name, value)
        except HookFailed as error:
            _log.warning("host=%s %s", name, error.message)

    def _await_record(self, name: HostName, value: str, stopping: threading.Event) -> None:
        """Raise ``NotReady`` when the record is not seen; the CA may see what nobody here can."""
        record = record_name(name)
        for _ in _looks(stopping, RECORD_SECONDS):
            texts = self.self_check.name_servers.texts(record)
            if texts is None or value in texts:
                return
        raise NotReady(
            f"the dns-01 hook has ended, but nobody sees the TXT record {record}",
            f"look at hooks/dns-01, and whether {record} leads elsewhere",
        )

    def _awaited(
        self, orders: Orders, url: str, wanted: set[str], stopping: threading.Event
    ) -> Order:
        """Ask again and again until the order is as ``wanted``."""
        for _ in _looks(stopping, PATIENCE_SECONDS):
            order = orders.look_at(url)
            if order.status == "invalid":
                raise CaRefused(f"the CA has ended the order: {order.trouble or 'no word why'}")
            if order.status in wanted:
                return order
        raise CaDown("the CA takes its time", _LATER)


def _new_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _looks(stopping: threading.Event, seconds: float) -> Iterator[None]:
    """Give a turn to look, at once and after longer and longer pauses, until time is over."""
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE_SECONDS
    while time.monotonic() < deadline:
        yield
        if stopping.wait(pause):
            raise Cancelled("the server is being stopped")
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
