"""An order at a certificate authority: made, looked at again, finished (RFC 8555, 7.4)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import requests
from acme import challenges, crypto_util, errors, messages
from cryptography import x509
from josepy.errors import DeserializationError
from josepy.interfaces import JSONDeSerializable

from pushdeploy.certificates.automatic.accounts import Authority, Member
from pushdeploy.certificates.automatic.refusals import (
    CaDown,
    CaRefused,
    OrderGone,
    not_validated,
    told,
    words_of,
)
from pushdeploy.domain.names import HostName

ProofKind = Literal["http-01", "dns-01"]

_CHALLENGES = {"http-01": challenges.HTTP01, "dns-01": challenges.DNS01}
ASK_AGAIN = timedelta(hours=6)
"""The CA is asked so often when to renew, where it does not say itself (RFC 9773, 4.3.3)."""

_SOONEST, _LATEST = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Order:
    """``status`` is that of RFC 8555, 7.1.6: pending, ready, processing, valid or invalid.

    ``proofs_at`` are the places where the CA says what is to be proved.
    ``trouble`` is what it has against an ``invalid`` order.
    """

    url: str
    status: str
    proofs_at: Sequence[str]
    finish_at: str
    certificate_at: str
    trouble: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What the CA looks for before it believes that a name is ours.

    ``answer`` is the text to be found, under ``token`` by HTTP and in a TXT record by DNS.
    """

    url: str
    begin_at: str
    token: str
    answer: str
    is_pending: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The CA suggests a moment for the renewal, if any, and when to ask again."""

    renew_at: datetime | None
    ask_at: datetime


class Orders:
    """All orders of one account. Each call asks the CA; ``CaRefused`` with what it has against it.

    Not thread-safe: whoever asks has one of their own.
    """

    def __init__(self, authority: Authority, member: Member) -> None:
        self._authority = authority
        self._client = member.client
        self._network = member.network
        self._key = member.key

    def place(self, name: HostName) -> Order:
        """Order a certificate for ``name`` alone."""
        wanted = messages.NewOrder(
            identifiers=[messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=str(name))],
            profile=self._authority.profile,
        )
        with self._told():
            answer = self._post(self._client.directory["newOrder"], wanted)
            return _order_of(answer, answer.headers["Location"])

    def look_at(self, url: str) -> Order:
        """Look at an order; ``OrderGone`` where the CA knows it no more."""
        with self._told():
            return _order_of(self._post(url), url)

    def proof(self, name: HostName, url: str, kind: ProofKind) -> Proof:
        """Look at one thing to be proved; ``NotValidated`` when the CA has not believed it."""
        with self._told():
            found = messages.Authorization.from_json(self._post(url).json())
        offered = [each for each in found.challenges if each.chall.typ == kind]
        if found.status == messages.STATUS_INVALID:
            raise not_validated(name, next((each.error for each in offered if each.error), None))
        if found.status == messages.STATUS_VALID:
            return Proof(url, "", "", "", is_pending=False)
        if not offered:
            raise CaRefused(f"the CA takes no {kind} for {name}")
        challenge = offered[0].chall
        if not isinstance(challenge, _CHALLENGES[kind]):
            raise OrderGone(f"the CA does not say what is to be proved for {name}")
        return Proof(
            url,
            offered[0].uri if offered[0].status == messages.STATUS_PENDING else "",
            challenge.encode("token"),
            challenge.validation(self._key),
            is_pending=True,
        )

    def begin(self, proof: Proof, kind: ProofKind) -> None:
        """Let the CA look; it takes its time. A proof that is being looked at needs nothing."""
        if proof.begin_at:
            answer = _CHALLENGES[kind].response_cls(key_authorization="")
            with self._told():
                self._post(proof.begin_at, answer)

    def finish(self, order: Order, name: HostName, key_pem: str) -> None:
        """Let the CA sign, once all is proved; it takes its time as well."""
        signed = x509.load_pem_x509_csr(crypto_util.make_csr(key_pem.encode(), [str(name)]))
        with self._told():
            self._post(order.finish_at, messages.CertificateRequest(csr=signed))

    def certificate(self, order: Order) -> str:
        """Download the certificate and its chain as PEM."""
        with self._told():
            return self._post(order.certificate_at).text

    def suggestion(self, chain_pem: str) -> Suggestion:
        """Ask when the certificate should be renewed (RFC 9773); a CA without that suggests none.

        ``CaDown`` where a CA that has it does not answer.
        """
        now, last = datetime.now(UTC), self._network.last
        last.forget()
        try:
            moment, _ = self._client.renewal_time(chain_pem.encode())
        except (errors.ARIError, x509.ExtensionNotFound) as error:
            raise CaDown("the CA does not say when to renew", "", last.retry_at) from error
        except DeserializationError as error:
            raise CaDown("the CA says in its own way when to renew") from error
        said = last.retry_at or now + ASK_AGAIN
        return Suggestion(moment, min(max(said, now + _SOONEST), now + _LATEST))

    def _post(self, url: str, wanted: JSONDeSerializable | None = None) -> requests.Response:
        """Without ``wanted`` it is what takes the place of GET (RFC 8555, 6.3)."""
        return self._network.post(url, wanted, new_nonce_url=self._client.directory["newNonce"])

    @contextmanager
    def _told(self) -> Iterator[None]:
        with told(self._authority.directory, self._network.last):
            yield


def _order_of(answer: requests.Response, url: str) -> Order:
    found = messages.Order.from_json(answer.json())
    return Order(
        url,
        str(found.status.name),
        tuple(found.authorizations or ()),
        str(found.finalize or ""),
        str(found.certificate or ""),
        words_of(found.error) if found.error is not None else "",
    )
