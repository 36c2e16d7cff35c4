"""A certificate that a person brings is checked before it is kept: a fault has one message, and
what was there before stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from pushdeploy.certificates import reading
from pushdeploy.certificates.bundle import Bundle
from pushdeploy.domain.certificate import SELF_SIGNED, Certificate, CertificateKind, Pem
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, HostName


@dataclass(frozen=True, slots=True)
class Checked:
    """A certificate that may be used; ``notes`` tell a person what is odd about it."""

    certificate: Certificate
    pem: Pem
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose certificate it is to be, and who brings it; see ``Certificate``."""

    kind: CertificateKind
    app: AppName | None
    host: HostName | None
    by: str


def checked(bundle: Bundle, place: Place, ca_bundle: Path | None = None) -> Checked:
    """Put the chain in order, without its root. ``UserError`` says what is wrong with any of it.

    ``ca_bundle`` are authorities that the operator trusts, beside those that the machine does.
    """
    key = reading.read_key(bundle.key)
    given = [reading.read_certificate(text) for text in bundle.certificates]
    for each in given:
        _refuse_huge(each)
    own = _certificate_of(key, given)
    now = datetime.now(UTC)
    _refuse_unusable(own, now)
    chain = _chain(own, given, ca_bundle)
    for above in chain[1:]:
        _refuse_broken_link(above, now)
    notes = _notes(own, chain, given)
    text = "".join(reading.pem_text(each) for each in chain)
    return Checked(described(own, place), Pem(text, reading.key_text(key)), notes)


def described(certificate: x509.Certificate, place: Place) -> Certificate:
    """The facts of a certificate, not yet kept: it has no number."""
    begins, ends = reading.lasts(certificate)
    own = reading.is_self_signed(certificate)
    return Certificate(
        id=0,
        kind=place.kind,
        app=place.app,
        host=place.host,
        names=reading.names_of(certificate),
        issuer=SELF_SIGNED if own else reading.called(certificate.issuer),
        not_before=begins,
        not_after=ends,
        fingerprint=reading.fingerprint_of(certificate),
        key_type=reading.key_type_of(certificate),
        by=place.by,
        created_at=datetime.now(UTC),
    )


def _certificate_of(key: reading.Key, given: Sequence[x509.Certificate]) -> x509.Certificate:
    """The one that the key fits; of several the one that lasts longest."""
    public = key.public_key()
    fitting = [each for each in given if reading.public_key_of(each) == public]
    if not fitting:
        leaves = [each for each in given if not reading.is_authority(each)] or list(given)
        name = reading.called(leaves[0].subject)
        raise UserError(
            f"the private key does not fit the certificate of {name}",
            "give the key that the certificate was asked for with; these two must be equal:"
            " openssl x509 -pubkey -noout -in shop.crt and openssl pkey -pubout -in shop.key",
        )
    return max(fitting, key=lambda each: reading.lasts(each)[1])


def _refuse_huge(certificate: x509.Certificate) -> None:
    """Before a signature is checked with it: that takes long with a huge key."""
    key = reading.public_key_of(certificate)
    if getattr(key, "key_size", 0) > reading.MOST_RSA_BITS:
        reading.refuse_key_type(key)


def _refuse_unusable(certificate: x509.Certificate, now: datetime) -> None:
    reading.refuse_key_type(reading.public_key_of(certificate))
    name = reading.called(certificate.subject)
    begins, ends = reading.lasts(certificate)
    if now >= ends:
        raise UserError(
            f"the certificate of {name} has ended at {ends:%Y-%m-%d %H:%M} UTC",
            "ask its authority for a new one",
        )
    if now < begins:
        raise UserError(
            f"the certificate of {name} is valid from {begins:%Y-%m-%d %H:%M} UTC on",
            "add it then; if that is past, the clock of the server is wrong: pushdeploy doctor",
        )
    if reading.is_authority(certificate) and not reading.is_self_signed(certificate):
        raise UserError(
            f"{name} is the certificate of an authority, not of a host",
            "give the certificate that it has signed for the host, with its own key",
        )
    if not reading.names_of(certificate):
        raise UserError(
            f"the certificate of {name} names no host in its subject alternative names",
            "browsers look nowhere else: ask for one that names its hosts there",
        )
    if not reading.is_for_servers(certificate):
        raise UserError(
            f"the certificate of {name} may not be used by a server (extended key usage)",
            "ask for one for TLS servers",
        )
    if reading.is_signed_weakly(certificate) and not reading.is_self_signed(certificate):
        raise UserError(
            f"the certificate of {name} is signed by way of MD5 or SHA-1",
            "ask its authority for a new one",
        )


def _refuse_broken_link(above: x509.Certificate, now: datetime) -> None:
    """Raise ``UserError`` for a certificate of the chain by which no browser would go on."""
    name, (begins, ends) = reading.called(above.subject), reading.lasts(above)
    if not begins <= now < ends:
        raise UserError(
            f"{name}, which has signed it, is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}",
            "get the present chain from the authority",
        )
    if not reading.is_authority(above) or reading.is_signed_weakly(above):
        raise UserError(
            f"{name} has signed it and is no authority that browsers take",
            "get the present chain from the authority",
        )


def _chain(
    own: x509.Certificate, given: Sequence[x509.Certificate], ca_bundle: Path | None
) -> Sequence[x509.Certificate]:
    """From the host's own upwards, without the root, which browsers have.

    ``UserError`` where one between is missing.
    """
    chain = [own]
    while not reading.is_self_signed(chain[-1]):
        above = next(
            (each for each in given if each not in chain and reading.has_signed(each, chain[-1])),
            None,
        )
        if above is None:
            _refuse_missing(chain[-1], ca_bundle)
            return chain
        chain.append(above)
    return chain if len(chain) == 1 else chain[:-1]


def _refuse_missing(top: x509.Certificate, ca_bundle: Path | None) -> None:
    """Raise ``UserError`` unless what has signed ``top`` is a root that this machine trusts."""
    if any(reading.has_signed(root, top) for root in reading.trusted_roots(ca_bundle)):
        return
    missing = reading.called(top.issuer)
    raise UserError(
        f"the chain is not complete: the certificate of {missing} is missing, which has signed"
        f" that of {reading.called(top.subject)}",
        "append it: cat shop.crt chain.crt shop.key | ssh deploy certs:add shop; of an authority of"
        " your own append its root as well",
    )


def _notes(
    own: x509.Certificate, chain: Sequence[x509.Certificate], given: Sequence[x509.Certificate]
) -> Sequence[str]:
    notes = []
    if reading.is_self_signed(own):
        notes.append(
            "it is signed by itself: no browser trusts it, and plain http is not sent to https"
        )
    in_order = [each for each in given if each in chain]
    if in_order != list(chain):
        notes.append("the chain was put in order")
    left_out = [each for each in given if each not in chain and not reading.is_self_signed(each)]
    if left_out:
        names = ", ".join(reading.called(each.subject) for each in left_out)
        notes.append(f"left out, for it does not belong to the chain: {names}")
    return notes
