"""A stand-in is a self-signed certificate, shown for a host that has none yet: no browser trusts
it, and no visitor is shown the certificate of somebody else."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from pushdeploy.domain.certificate import Pem

_NAME = "pushdeploy stand-in"
_LIFETIME = timedelta(days=3650)
_LEFT = timedelta(days=90)


def make_stand_in(now: datetime | None = None) -> Pem:
    """Make one that names no host, with a key of its own."""
    now = now or datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .sign(key, hashes.SHA256())
    )
    chain = certificate.public_bytes(Encoding.PEM).decode()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Pem(chain, text)


def is_stand_in(text: bytes, now: datetime | None = None) -> bool:
    """Tell whether a file of a chain and a key is a whole stand-in that lasts for a while."""
    now = now or datetime.now(UTC)
    with suppress(ValueError, TypeError):
        certificate = x509.load_pem_x509_certificate(text)
        key = load_pem_private_key(text[text.index(b"-----BEGIN PRIVATE KEY") :], None)
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return (
            [name.value for name in names] == [_NAME]
            and key.public_key() == certificate.public_key()
            and certificate.not_valid_after_utc - now > _LEFT
        )
    return False
