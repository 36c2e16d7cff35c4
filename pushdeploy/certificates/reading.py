"""Certificates and keys are read, and told apart from what no browser would take."""

import warnings
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pushdeploy.domain.errors import UserError

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 8192
"""A larger one takes a worker's time at each handshake."""

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_NEW_KEY = "ask for a certificate with a key of RSA 2048 or of EC P-256"


def read_certificate(text: bytes) -> x509.Certificate:
    """Raise ``UserError`` for what is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd serial number is the authority's business
            return x509.load_pem_x509_certificate(text)
    except ValueError as error:
        raise UserError(
            "a certificate in this is damaged", "give the file as the authority has sent it"
        ) from error


def read_key(text: bytes) -> Key:
    """Raise ``UserError`` for what is damaged, and for a kind or size that does not do.

    Its size is known before it is checked: a check of a huge one takes minutes.
    """
    try:
        key = load_pem_private_key(text, None, unsafe_skip_rsa_key_validation=True)
        refuse_key_type(key)
        key = load_pem_private_key(text, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UserError("the private key is damaged", "give the file as it was made") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UserError("the private key is of no kind that browsers take", _NEW_KEY)
    return key


def refuse_key_type(key: object) -> None:
    """Raise ``UserError`` unless browsers and nginx take such a key, private or public."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        if key.key_size < LEAST_RSA_BITS:
            raise UserError(f"an RSA key of {key.key_size} bits is too short", _NEW_KEY)
        if key.key_size > MOST_RSA_BITS:
            raise UserError(f"an RSA key of {key.key_size} bits takes too much time", _NEW_KEY)
    elif isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            raise UserError(f"no browser knows the curve {key.curve.name}", _NEW_KEY)
    else:
        kind = type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey")
        raise UserError(f"no browser takes a certificate with a key of {kind.strip('_')}", _NEW_KEY)


def public_key_of(certificate: x509.Certificate) -> object:
    """Return its public key; None for a kind that is not known."""
    with suppress(ValueError, UnsupportedAlgorithm):
        return certificate.public_key()
    return None


def key_type_of(certificate: x509.Certificate) -> str:
    """``RSA 2048`` or ``EC P-256``."""
    key = public_key_of(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    return type(key).__name__


def names_of(certificate: x509.Certificate) -> Sequence[str]:
    """The host names that it covers, in lower case; browsers look at no other field (RFC 9525)."""
    with suppress(x509.ExtensionNotFound, ValueError):
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return tuple(
            dict.fromkeys(name.lower() for name in found.value.get_values_for_type(x509.DNSName))
        )
    return ()


def called(name: x509.Name) -> str:
    """What a person calls the owner of a certificate."""
    for part in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME):
        for found in name.get_attributes_for_oid(part):
            return " ".join(str(found.value).split())[:200]
    return name.rfc4514_string()[:200] or "somebody without a name"


def is_authority(certificate: x509.Certificate) -> bool:
    with suppress(x509.ExtensionNotFound, ValueError):
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        return found.value.ca
    return False


def is_for_servers(certificate: x509.Certificate) -> bool:
    """Tell whether its extended key usage, where it has one, lets servers use it."""
    with suppress(x509.ExtensionNotFound, ValueError):
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        return bool(
            {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
            & set(usage)
        )
    return True


def is_signed_weakly(certificate: x509.Certificate) -> bool:
    """Tell whether nginx's OpenSSL would not load it: MD5 and SHA-1 can be forged."""
    with suppress(UnsupportedAlgorithm):
        return isinstance(certificate.signature_hash_algorithm, hashes.MD5 | hashes.SHA1)
    return True


def is_self_signed(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject and has_signed(certificate, certificate)


def has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Tell whether the one certificate was signed with the key of the other."""
    with suppress(ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        certificate.verify_directly_issued_by(issuer)
        return True
    return False


def lasts(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def fingerprint_of(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def pem_text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def key_text(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def trusted_roots(bundle: Path | None) -> Sequence[x509.Certificate]:
    """The authorities that this machine trusts, and those of the operator's ``bundle``."""
    found: list[x509.Certificate] = []
    for path in (bundle, *_STORES):
        with suppress(OSError, TypeError):
            for block in Path(path or "/").read_bytes().split(_END)[:-1]:
                with suppress(UserError):
                    found.append(read_certificate(block[block.find(_BEGIN) :] + _END))
    return found


_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----\n"
_STORES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))
