"""What a person hands over is taken apart: certificates and a key, as PEM in any order or a tar."""

import io
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pushdeploy.domain.errors import UserError

MOST_BYTES = 256 * 1024
"""A chain with a key has 4 to 12 KB."""

_MOST_FILES = 64
_MOST_BLOCKS = 32
_TAR_BYTES = 512
_MARK = re.compile(rb"-----(?P<which>BEGIN|END) (?P<label>[A-Z0-9 ]{1,40})-----")
_CERTIFICATES = {b"CERTIFICATE", b"X509 CERTIFICATE"}
_KEYS = {b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY"}
_HOW = "cat shop.crt chain.crt shop.key | ssh deploy certs:add shop"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The blocks in PEM form, not looked into yet."""

    certificates: Sequence[bytes]
    key: bytes


def parse_bundle(data: bytes) -> Bundle:
    """Raise ``UserError`` for what is neither, for none or several keys, and for no certificate."""
    if not data.strip():
        raise UserError("nothing came on standard input", _HOW)
    if len(data) > MOST_BYTES:
        raise UserError(f"this is larger than {MOST_BYTES // 1024} KB", "give the right files")
    blocks = list(_blocks(b"\n".join(_texts(data))))
    if not blocks:
        raise UserError("there is no PEM block in this", _other_forms(data))
    if len(blocks) > _MOST_BLOCKS:
        raise UserError(
            f"there are more than {_MOST_BLOCKS} certificates and keys in this",
            "leave out what does not belong to the chain of one certificate",
        )
    for label, text in blocks:
        _refuse_others(label, text)
    certificates = list(dict.fromkeys(text for label, text in blocks if label in _CERTIFICATES))
    keys = list(dict.fromkeys(text for label, text in blocks if label in _KEYS))
    if not certificates:
        raise UserError("there is no certificate in this", _HOW)
    if not keys:
        raise UserError("there is no private key in this", _HOW)
    if len(keys) > 1:
        raise UserError(f"there are {len(keys)} private keys in this", "leave out all but one")
    return Bundle(certificates, keys[0])


def _texts(data: bytes) -> Iterator[bytes]:
    """The text itself, or those of the files in a tar, by their names."""
    if not _is_tar(data):
        yield data
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for number, member in enumerate(archive):
                if number >= _MOST_FILES:
                    raise UserError(
                        f"the tar has more than {_MOST_FILES} files", "tar c shop.crt shop.key"
                    )
                file = archive.extractfile(member) if member.isreg() else None
                if file is not None:
                    yield file.read(MOST_BYTES)  # a file with holes claims any size
    except tarfile.TarError as error:
        raise UserError(f"the tar cannot be read: {error}", "tar c shop.crt shop.key") from error


def _is_tar(data: bytes) -> bool:
    return len(data) >= _TAR_BYTES and data[257:262] == b"ustar"


def _blocks(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each block with its label, as an own text with plain line ends.

    One pass over the marks: a pattern for whole blocks may try each blank of a long text as an end.
    """
    for begin, end in pairwise(_MARK.finditer(text)):
        label, body = begin["label"], text[begin.end() : end.start()]
        if (begin["which"], end["which"], end["label"]) != (b"BEGIN", b"END", label):
            continue
        if not body[:1].isspace() or b"-----" in body:
            continue
        if label in _CERTIFICATES:
            label = b"CERTIFICATE"
        yield label, b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, _inner(body), label)


def _inner(body: bytes) -> bytes:
    """Blank lines count only where headers stand before the text."""
    lines, has_headers = body.replace(b"\r", b"\n").split(b"\n"), b":" in body
    return b"\n".join(line.strip() for line in lines if has_headers or line.strip())


def _refuse_others(label: bytes, text: bytes) -> None:
    if label == b"ENCRYPTED PRIVATE KEY" or b"Proc-Type: 4,ENCRYPTED" in text:
        raise UserError(
            "the private key has a passphrase, and nobody could type it at a start",
            "openssl pkey -in shop.key -out plain.key, and give plain.key",
        )
    if label == b"OPENSSH PRIVATE KEY":
        raise UserError(
            "this is a key for ssh, not one of a certificate", "give the key of the certificate"
        )
    if label in {b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"}:
        raise UserError(
            "this is a request for a certificate, not yet one", "give what the authority has sent"
        )
    if label == b"PUBLIC KEY":
        raise UserError("this is a public key", "give the private key of the certificate")


def _other_forms(data: bytes) -> str:
    if data[:2] == b"\x1f\x8b":
        return "unpack it first: gunzip -c certs.tar.gz | ssh deploy certs:add shop"
    if data[:1] == b"\x30":
        return (
            "openssl pkcs12 -in shop.pfx -nodes | ssh deploy certs:add shop, for a .pfx or .p12;"
            " openssl x509 -inform der -in shop.cer, for a certificate in DER"
        )
    return _HOW
