"""A certificate authority for tests: what it signs is good in every way but those asked for."""

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pushdeploy.domain.certificate import Pem
from pushdeploy.settings import Address

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Signed:
    """A certificate with its key and those above it, the nearest first."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes
    above: tuple[x509.Certificate, ...]

    @property
    def text(self) -> str:
        return pem_of(self.certificate)

    @property
    def key_text(self) -> str:
        form = PrivateFormat.PKCS8
        return self.key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()

    @property
    def everything(self) -> bytes:
        """With all above it, the root as well, and the key."""
        return (self.text + "".join(map(pem_of, self.above)) + self.key_text).encode()

    @property
    def pem(self) -> Pem:
        """The certificate and what stands between it and the root."""
        return Pem(self.text + "".join(map(pem_of, self.above[:-1])), self.key_text)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


class Authority:
    """A root, and one that it has signed, which signs the certificates."""

    def __init__(self, name: str = "Test") -> None:
        self.root = _sign(f"{name} Root", None, is_authority=True)
        self.intermediate = _sign(f"{name} Intermediate", self.root, is_authority=True)

    def sign(
        self,
        *names: str,
        key: CertificateIssuerPrivateKeyTypes | None = None,
        begins: timedelta = -DAY,
        ends: timedelta = 90 * DAY,
        is_authority: bool = False,
        usage: x509.ObjectIdentifier | None = None,
    ) -> Signed:
        """Certify ``names``; ``begins`` and ``ends`` are counted from now."""
        common = names[0] if names else "nobody"
        return _sign(
            common,
            self.intermediate,
            names,
            key,
            (begins, ends),
            is_authority=is_authority,
            usage=usage,
        )


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def shown_by(address: Address, host: str) -> bytes | None:
    """The certificate that a visitor of ``host`` is shown, in DER; None for none at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        try:
            with context.wrap_socket(connection, server_hostname=host) as secured:
                return secured.getpeercert(binary_form=True)
        except (ssl.SSLError, ConnectionError):
            return None


def _sign(
    common: str,
    issuer: Signed | None,
    names: tuple[str, ...] = (),
    key: CertificateIssuerPrivateKeyTypes | None = None,
    life: tuple[timedelta, timedelta] = (-DAY, 3650 * DAY),
    *,
    is_authority: bool = False,
    usage: x509.ObjectIdentifier | None = None,
) -> Signed:
    key = key or ec.generate_private_key(ec.SECP256R1())
    now, subject = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + life[0])
        .not_valid_after(now + life[1])
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
        )
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    above = (issuer.certificate, *issuer.above) if issuer else ()
    return Signed(certificate, key, above)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
