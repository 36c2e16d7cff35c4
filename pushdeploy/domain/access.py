"""Who is asking: the public key that signed the last request of the login, and how one is read."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import KeyName

_CURVES: Mapping[str, int] = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
"""Bytes of an uncompressed point."""

_RSA_BITS = range(2048, 16385)
_KINDS = ("ssh-ed25519", "ssh-rsa", *(f"ecdsa-sha2-{curve}" for curve in _CURVES))
_NEW_KEY = "make one with: ssh-keygen -t ed25519"
_WANTED = "give the one line of a .pub file, as in: ssh-ed25519 AAAA… you@laptop"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A line of authorized_keys, taken apart; ``fingerprint`` as ``SHA256:…`` of OpenSSH."""

    name: KeyName
    kind: str
    base64: str
    fingerprint: str

    @classmethod
    def parse(cls, name: KeyName, text: str) -> Self:
        """The key in a .pub file's text; its comment is dropped. ``UserError`` says what is wrong.

        The blob is taken apart as RFC 4253 §6.6, RFC 5656 §3.1 and RFC 8709 §4 lay it out, and
        must be written in the one way that a client will send it: it is compared byte by byte.
        """
        words = _only_line(text).split()
        kind = _accepted_kind(words)
        if len(words) < 2:
            raise UserError(f"after {kind} the key itself is missing", _WANTED)
        blob = _decode(words[1])
        _check(kind, blob)
        encoded = base64.b64encode(blob).decode()
        return cls(name, kind, encoded, fingerprint(blob))

    @property
    def line(self) -> str:
        return f"{self.kind} {self.base64} {self.name}"


@dataclass(frozen=True, slots=True)
class Login:
    """A key that has logged in: its bytes, and whose it was then.

    The name alone would not do: somebody else's key may have been given it since.
    """

    by: KeyName
    kind: str
    base64: str


def fingerprint(blob: bytes) -> str:
    """``SHA256:…`` of a public key's blob, as ``ssh-keygen -l`` shows it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def _only_line(text: str) -> str:
    """Comments and empty lines aside; other formats are named for what they are."""
    _refuse_other_formats(text)
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise UserError("there is no key in the input", _WANTED)
    if len(lines) > 1:
        raise UserError(f"there are {len(lines)} lines where one key was expected", _WANTED)
    return lines[0]


def _refuse_other_formats(text: str) -> None:
    if "PRIVATE KEY-----" in text or "PuTTY-User-Key-File" in text:
        raise UserError(
            "this is a private key, which must never leave your machine",
            "nothing was stored; give the file that ends in .pub, and make a new key pair "
            "when others may have seen this one",
        )
    if "BEGIN SSH2 PUBLIC KEY" in text:
        raise UserError(
            "this public key is in the RFC 4716 format", "convert it: ssh-keygen -i -f KEY"
        )
    if "PUBLIC KEY-----" in text:
        raise UserError(
            "this public key is in a PEM format", "convert it: ssh-keygen -i -m PKCS8 -f KEY"
        )


def _accepted_kind(words: list[str]) -> str:
    kind = words[0]
    if kind in _KINDS:
        return kind
    if "-cert-v01@" in kind:
        raise UserError("certificates are not supported", "give the plain public key")
    if kind.startswith("sk-"):
        raise UserError("keys on security tokens (sk-…) are not supported", _NEW_KEY)
    if kind == "ssh-dss":
        raise UserError("DSA keys are too weak to be accepted", _NEW_KEY)
    if "=" in kind or any(word in _KINDS for word in words[1:]):
        raise UserError(
            "options before the key, such as command=, are not supported",
            "give the line from the key type on",
        )
    raise UserError("this is not a public key", _WANTED)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UserError("the key is damaged: it is not base64", _WANTED) from error


def _check(kind: str, blob: bytes) -> None:
    fields = _fields(blob)
    if not fields or fields[0] != kind.encode():
        raise UserError(f"the key is damaged: it does not hold an {kind} key", _WANTED)
    if not _is_key(kind, fields[1:]):
        raise UserError(f"the key is damaged: it does not hold an {kind} key", _WANTED)


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
        and len(parts[1]) == _CURVES[curve]
        and parts[1][0] == 4
    )


def _is_rsa(parts: list[bytes]) -> bool:
    """Exponent and modulus. Too short a modulus gets a message of its own."""
    if len(parts) != 2 or not all(_is_positive(part) for part in parts):
        return False
    exponent, modulus = (int.from_bytes(part, "big") for part in parts)
    bits = modulus.bit_length()
    if bits not in _RSA_BITS:
        raise UserError(f"an RSA key of {bits} bits is not accepted: 2048 to 16384 are", _NEW_KEY)
    return exponent > 1 and exponent % 2 == 1 and modulus % 2 == 1


def _is_positive(number: bytes) -> bool:
    """An mpint (RFC 4251 §5) above zero without needless zeros in front."""
    if not number or number[0] & 0x80:
        return False
    return number[0] != 0 or (len(number) > 1 and bool(number[1] & 0x80))
