"""The bytes of a public key are taken apart, checked and put together here."""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from pushdeploy.domain.errors import UserError

CURVES: Mapping[str, int] = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
"""Bytes of an uncompressed point."""

KINDS = ("ssh-ed25519", "ssh-rsa", *(f"ecdsa-sha2-{curve}" for curve in CURVES))
NEW_KEY = "make one with: ssh-keygen -t ed25519"
WANTED = "give the one line of a .pub file, as in: ssh-ed25519 AAAA… you@laptop"

_RSA_BITS = range(2048, 16385)


def fingerprint(blob: bytes) -> str:
    """Return ``SHA256:…`` of a public key's blob, as ``ssh-keygen -l`` shows it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def decode(text: str) -> bytes:
    """Raise ``UserError`` where it is not base64, or was cut off."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        if "padding" in str(error) or "number of data characters" in str(error):
            raise UserError("the key is damaged: it is cut off", WANTED) from error
        raise UserError("the key is damaged: it is not base64", WANTED) from error


def kind_within(blob: bytes) -> str:
    """Return the kind that a blob names in its first field; empty where there is none."""
    length = int.from_bytes(blob[:4], "big")
    name = blob[4 : 4 + length]
    return name.decode("ascii", "replace") if len(name) == length else ""


def is_whole(blob: bytes) -> bool:
    """Tell whether its fields end where it ends."""
    return bool(_fields(blob))


def refuse_kind(kind: str) -> None:
    """Raise ``UserError`` for kinds of keys that this server does not let in."""
    if "-cert-v01@" in kind:
        raise UserError(
            "certificates are not supported", "give the plain public key: the file KEY.pub"
        )
    if kind.startswith("sk-"):
        raise UserError("keys on security tokens (sk-…) are not supported", NEW_KEY)
    if kind == "ssh-dss":
        raise UserError("DSA keys are too weak to be accepted", NEW_KEY)


def check(kind: str, blob: bytes) -> None:
    """Raise ``UserError`` unless the blob is a key of this kind, written in the one way that
    clients do.

    RFC 4253 §6.6, RFC 5656 §3.1 and RFC 8709 §4 lay it out; it is compared byte by byte.
    """
    fields = _fields(blob)
    if not fields and kind_within(blob) == kind:
        raise UserError("the key is damaged: it is cut off, or has too much at its end", WANTED)
    if not fields or fields[0] != kind.encode() or not _is_key(kind, fields[1:]):
        raise UserError(f"the key is damaged: it does not hold an {kind} key", WANTED)


def blob_of(kind: str, *parts: bytes) -> bytes:
    """Make a blob of its fields."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in (kind.encode(), *parts))


def _fields(blob: bytes) -> list[bytes]:
    """Strings with their length in four bytes before them; empty when anything is left over."""
    fields = []
    while blob:
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            return []
        fields.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return fields


def _is_key(kind: str, parts: list[bytes]) -> bool:
    if kind == "ssh-ed25519":
        return [len(part) for part in parts] == [32]
    return _is_rsa(parts) if kind == "ssh-rsa" else _is_point(kind, parts)


def _is_point(kind: str, parts: list[bytes]) -> bool:
    curve = kind.rpartition("-")[2]
    return (
        len(parts) == 2
        and parts[0] == curve.encode()
        and len(parts[1]) == CURVES[curve]
        and parts[1][0] == 4
    )


def _is_rsa(parts: list[bytes]) -> bool:
    """Exponent and modulus. Too short a modulus gets a message of its own."""
    if len(parts) != 2 or not all(_is_positive(part) for part in parts):
        return False
    exponent, modulus = (int.from_bytes(part, "big") for part in parts)
    bits = modulus.bit_length()
    if bits not in _RSA_BITS:
        raise UserError(f"an RSA key of {bits} bits is not accepted: 2048 to 16384 are", NEW_KEY)
    return exponent > 1 and exponent % 2 == 1 and modulus % 2 == 1


def _is_positive(number: bytes) -> bool:
    """An mpint (RFC 4251 §5) above zero without needless zeros in front."""
    if not number or number[0] & 0x80:
        return False
    return number[0] != 0 or (len(number) > 1 and bool(number[1] & 0x80))
