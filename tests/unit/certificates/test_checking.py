"""What people hand over as a certificate: every fault has a message of its own."""

import gzip
import io
import random
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.authority as making
from pushdeploy.certificates.bundle import MOST_BYTES, parse_bundle
from pushdeploy.certificates.checking import Checked, Place, checked
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import AppName
from tests.authority import DAY, Authority, Signed, pem_of

HERE = Authority()
HOST = "shop.example.com"
GOOD = HERE.sign(HOST, "*.example.com")
PLACE = Place("own", AppName("shop"), None, "ada")


def check(data: bytes | str, ca_bundle: Path | None = None) -> Checked:
    text = data.encode() if isinstance(data, str) else data
    return checked(parse_bundle(text), PLACE, ca_bundle)


def tar(**files: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def blocks(signed: Signed) -> list[str]:
    return [signed.text, *map(pem_of, signed.above), signed.key_text]


def test_a_whole_chain_in_any_order_is_put_in_order_without_its_root() -> None:
    for seed in range(10):
        shuffled = random.Random(seed).sample(blocks(GOOD), 4)
        found = check("".join(shuffled))
        assert found.pem == GOOD.pem
        assert found.certificate.names == (HOST, "*.example.com")
        assert found.certificate.key_type == "EC P-256"
        assert found.certificate.issuer == "Test Intermediate"
    assert check(GOOD.everything).notes == []


def test_text_around_the_blocks_and_windows_line_ends_do_not_matter() -> None:
    text = "Bag Attributes\r\n" + "\r\nsubject=shop\r\n".join(blocks(GOOD))
    assert check(text.replace("\n", "\r\n")).pem == GOOD.pem


def test_a_tar_of_files_is_taken_as_dokkus_clients_send_it() -> None:
    above = "".join(map(pem_of, GOOD.above))
    data = tar(**{"server.crt": (GOOD.text + above).encode(), "server.key": GOOD.key_text.encode()})
    assert check(data).pem == GOOD.pem


def test_a_root_that_the_operator_trusts_need_not_be_given(tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    bundle.write_text(pem_of(HERE.root.certificate))
    given = GOOD.text + pem_of(HERE.intermediate.certificate) + GOOD.key_text
    assert check(given, bundle).pem == GOOD.pem


def test_what_does_not_belong_is_left_out_and_told() -> None:
    other = Authority("Other").sign("a.org")
    found = check(GOOD.everything + other.text.encode())
    assert found.pem == GOOD.pem
    assert found.notes == ["left out, for it does not belong to the chain: a.org"]


def test_one_that_is_signed_by_itself_is_taken_with_a_warning_and_never_trusted() -> None:
    alone = making._sign(HOST, None, (HOST,))
    found = check(alone.text + alone.key_text)
    assert found.pem == alone.pem
    assert "no browser trusts it" in found.notes[0]
    assert not found.certificate.may_be_trusted(datetime.now(UTC))
    assert check(GOOD.everything).certificate.may_be_trusted(datetime.now(UTC))


def test_one_that_is_signed_by_itself_has_to_name_a_host_too() -> None:
    alone = Authority("localhost").root
    with pytest.raises(UserError, match="names no host"):
        check(alone.text + alone.key_text)


def _encrypted(signed: Signed) -> str:
    protection = BestAvailableEncryption(b"secret")
    text = signed.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    return signed.text + text.decode()


def _old_encrypted(signed: Signed) -> str:
    protection = BestAvailableEncryption(b"secret")
    text = signed.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, protection)
    return signed.text + text.decode()


def _with_key(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return HERE.sign(HOST, key=key).everything


def _ed25519() -> bytes:
    return HERE.sign(HOST, key=ed25519.Ed25519PrivateKey.generate()).everything


FAULTS: dict[str, tuple[Callable[[], bytes | str], str]] = {
    "nothing": (lambda: b" \n", "nothing came"),
    "no PEM": (lambda: b"hello", "no PEM block"),
    "gzip": (lambda: gzip.compress(GOOD.everything), "no PEM block"),
    "DER": (lambda: GOOD.der, "no PEM block"),
    "no key": (lambda: GOOD.text, "no private key"),
    "no certificate": (lambda: GOOD.key_text, "no certificate"),
    "another key": (lambda: GOOD.text + HERE.sign(HOST).key_text, "does not fit"),
    "two keys": (lambda: GOOD.everything.decode() + HERE.sign(HOST).key_text, "2 private keys"),
    "no intermediate": (lambda: GOOD.text + GOOD.key_text, "Test Intermediate is missing"),
    "no root": (
        lambda: GOOD.text + pem_of(HERE.intermediate.certificate) + GOOD.key_text,
        "Test Root is missing",
    ),
    "ended": (lambda: HERE.sign(HOST, begins=-9 * DAY, ends=-DAY).everything, "has ended at"),
    "not begun": (lambda: HERE.sign(HOST, begins=DAY).everything, "is valid from"),
    "an authority": (lambda: HERE.sign(HOST, is_authority=True).everything, "of an authority"),
    "no names": (lambda: HERE.sign().everything, "names no host"),
    "an address": (lambda: HERE.sign("10.0.0.1").everything, "names no host"),
    "for mail": (
        lambda: HERE.sign(HOST, usage=ExtendedKeyUsageOID.EMAIL_PROTECTION).everything,
        "may not be used by a server",
    ),
    "a passphrase": (lambda: _encrypted(GOOD), "has a passphrase"),
    "an old passphrase": (lambda: _old_encrypted(GOOD), "has a passphrase"),
    "a short key": (lambda: _with_key(rsa.generate_private_key(65537, 1024)), "1024 bits is too"),
    "a curve": (lambda: _with_key(ec.generate_private_key(ec.SECP256K1())), "curve secp256k1"),
    "a kind of key": (_ed25519, "a key of Ed25519"),
    "a damaged certificate": (
        lambda: GOOD.text.replace("MII", "MIJ", 1) + GOOD.key_text,
        "is damaged",
    ),
    "a damaged key": (lambda: GOOD.text + GOOD.key_text.replace("MIG", "MIH", 1), "is damaged"),
    "too large": (lambda: GOOD.everything + b"#" * MOST_BYTES, "larger than 256 KB"),
    "too many": (lambda: pem_of(HERE.root.certificate) * 33 + GOOD.key_text, "more than 32"),
    "a tar of thousands": (lambda: tar(**{f"{n}.crt": b"" for n in range(65)}), "more than 64"),
    "a request": (
        lambda: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        "a request for a certificate",
    ),
    "a key for ssh": (
        lambda: "-----BEGIN OPENSSH PRIVATE KEY-----\nAA\n-----END OPENSSH PRIVATE KEY-----\n",
        "a key for ssh",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_a_message_and_a_next_step(fault: str) -> None:
    make, said = FAULTS[fault]
    with pytest.raises(UserError, match=said) as caught:
        check(make())
    assert caught.value.hint
    assert "PRIVATE KEY" not in f"{caught.value.message} {caught.value.hint}"


def test_an_authority_that_has_ended_is_found_in_the_chain() -> None:
    authority = Authority()
    over = timedelta(days=-1)
    old = making._sign("Old", authority.root, life=(-9 * DAY, over), is_authority=True)
    signed = making._sign(HOST, old, (HOST,), life=(-8 * DAY, 9 * DAY))
    with pytest.raises(UserError, match="Old, which has signed it, is valid from"):
        check(signed.everything)


def test_a_file_with_holes_in_a_tar_is_not_blown_up() -> None:
    made = bytearray(tar(**{"server.crt": b""}))
    made[124:136] = b"77777777777\0"  # a size of 8 GB
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made[:512])
    with pytest.raises(PushdeployError):
        check(bytes(made))


_BEGIN, _END = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"


@pytest.mark.timeout(30)  # what tries every blank as an end takes an hour
@pytest.mark.parametrize(
    "text", [b" ", b"\n", b"\r", b"-", b"A", b"-----BEGIN X-----", _BEGIN, _END]
)
@pytest.mark.parametrize("end", [b"", _END])
def test_a_long_text_without_sense_is_read_once(text: bytes, end: bytes) -> None:
    room = MOST_BYTES - len(_BEGIN) - len(end)
    with pytest.raises(UserError):
        parse_bundle(_BEGIN + text * (room // len(text)) + end)


_PIECES = st.sampled_from(
    [
        *(block.encode() for block in blocks(GOOD)),
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----END CERTIFICATE-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"\x00\xff",
        b"-----BEGIN X-----\n\n-----END X-----",
    ]
)


@settings(deadline=None, max_examples=30)
@given(st.lists(_PIECES, max_size=8))
def test_whatever_comes_is_a_certificate_or_our_error(pieces: list[bytes]) -> None:
    try:
        found = check(b"".join(pieces))
    except UserError:
        return
    assert found.pem == GOOD.pem
