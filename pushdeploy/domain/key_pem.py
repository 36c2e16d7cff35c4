"""Public keys in OpenSSL's form, PEM (RFC 7468) around DER (X.690), become ssh's blobs."""

from collections.abc import Mapping, Sequence

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.key_blob import NEW_KEY, WANTED, blob_of

_SEQUENCE, _INTEGER, _BITS, _OBJECT = 0x30, 0x02, 0x03, 0x06
_RSA = bytes.fromhex("2a864886f70d010101")
_POINT = bytes.fromhex("2a8648ce3d0201")
_ED25519 = bytes.fromhex("2b6570")
_CURVES: Mapping[bytes, str] = {
    bytes.fromhex("2a8648ce3d030107"): "nistp256",
    bytes.fromhex("2b81040022"): "nistp384",
    bytes.fromhex("2b81040023"): "nistp521",
}
_DAMAGED = UserError("the key is damaged: its PEM block cannot be read", WANTED)


def from_pkcs8(der: bytes) -> bytes:
    """Read a ``PUBLIC KEY`` block: SubjectPublicKeyInfo of RFC 5280 §4.1.2.7."""
    algorithm, key = _parts(_whole(der, _SEQUENCE), (_SEQUENCE, _BITS))
    name, parameters = _split(algorithm, _OBJECT)
    if key[:1] != b"\0":
        raise _DAMAGED
    if name == _RSA:
        return from_pkcs1(key[1:])
    if name == _ED25519:
        return blob_of("ssh-ed25519", key[1:])
    if name == _POINT:
        return _point(parameters, key[1:])
    raise UserError("this kind of key is not for ssh", NEW_KEY)


def from_pkcs1(der: bytes) -> bytes:
    """Read an ``RSA PUBLIC KEY`` block: RSAPublicKey of RFC 8017 §A.1.1."""
    modulus, exponent = _parts(_whole(der, _SEQUENCE), (_INTEGER, _INTEGER))
    return blob_of("ssh-rsa", exponent, modulus)


def _point(parameters: bytes, point: bytes) -> bytes:
    curve = _CURVES.get(_whole(parameters, _OBJECT))
    if curve is None:
        raise UserError("ssh does not use this elliptic curve", NEW_KEY)
    return blob_of(f"ecdsa-sha2-{curve}", curve.encode(), point)


def _parts(data: bytes, tags: Sequence[int]) -> list[bytes]:
    """Values of these types one after another, and nothing else."""
    found = []
    for tag in tags:
        value, data = _split(data, tag)
        found.append(value)
    if data:
        raise _DAMAGED
    return found


def _whole(data: bytes, tag: int) -> bytes:
    return _parts(data, [tag])[0]


def _split(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The value in front, which must be of this type, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise _DAMAGED
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise _DAMAGED
    return data[start : start + length], data[start + length :]
