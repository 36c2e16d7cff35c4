"""Public keys as people paste them."""

import base64
import struct
import subprocess
from pathlib import Path

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.public_key import PublicKey

NAME = KeyName("laptop")


def generated(folder: Path, *arguments: str) -> str:
    path = folder / "key"
    command = ["ssh-keygen", "-q", *arguments, "-N", "", "-C", "me@home", "-f", str(path)]
    subprocess.run(command, check=True)
    return (folder / "key.pub").read_text()


def encoded(*fields: bytes) -> str:
    blob = b"".join(struct.pack(">I", len(field)) + field for field in fields)
    return base64.b64encode(blob).decode()


ED25519 = "ssh-ed25519 " + encoded(b"ssh-ed25519", bytes(32))
OTHER = "ssh-ed25519 " + encoded(b"ssh-ed25519", bytes([7]) * 32)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-t", "ed25519"),
        ("-t", "rsa", "-b", "2048"),
        ("-t", "ecdsa", "-b", "256"),
        ("-t", "ecdsa", "-b", "384"),
        ("-t", "ecdsa", "-b", "521"),
    ],
)
def test_keys_of_ssh_keygen_are_read_with_their_fingerprint(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    text = generated(tmp_path, *arguments)
    key = PublicKey.parse(NAME, text)
    assert (key.kind, key.base64) == tuple(text.split()[:2])
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], capture_output=True, text=True, check=True
    )
    assert key.fingerprint == shown.stdout.split()[1]
    assert key.line == f"{key.kind} {key.base64} laptop"


@pytest.mark.parametrize(
    "text",
    [
        ED25519,
        f"\n# my key\n  {ED25519} a comment with = and spaces \r\n\n",
        f"\ufeff{ED25519}\r\n",
    ],
)
def test_comments_and_empty_lines_do_no_harm(text: str) -> None:
    assert PublicKey.parse(NAME, text).line == f"{ED25519} laptop"


def test_private_key_is_recognised_and_not_repeated(tmp_path: Path) -> None:
    generated(tmp_path, "-t", "ed25519")
    private = (tmp_path / "key").read_text()
    with pytest.raises(UserError, match="private key") as refused:
        PublicKey.parse(NAME, private)
    assert private.splitlines()[1] not in f"{refused.value.message} {refused.value.hint}"


RSA_1024 = encoded(b"ssh-rsa", b"\1\0\1", b"\0\x80" + bytes(126) + b"\1")
RSA_PADDED = encoded(b"ssh-rsa", b"\0\1\0\1", b"\0\x80" + bytes(254) + b"\1")
RSA_NEGATIVE = encoded(b"ssh-rsa", b"\1\0\1", b"\x80" + bytes(254) + b"\1")
POINT_FORM = encoded(b"ecdsa-sha2-nistp256", b"nistp256", b"\2" + bytes(64))
OTHER_CURVE = encoded(b"ecdsa-sha2-nistp256", b"nistp384", b"\4" + bytes(64))
CUT_SSH2 = "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----"
CUT_PEM = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"
X509 = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
PGP = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQEN\n-----END PGP PUBLIC KEY BLOCK-----"
SHOWN = f"256 {PublicKey.parse(NAME, ED25519).fingerprint} me@home (ED25519)"
BARE = ED25519.split()[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "no key", id="nothing"),
        pytest.param("# only a comment\n", "no key", id="only a comment"),
        pytest.param(f"{ED25519}\n{OTHER}\n", "2 keys", id="two keys"),
        pytest.param("hello world", "not a public key", id="garbage"),
        pytest.param("~/.ssh/id_ed25519.pub", "name of a file", id="a file name"),
        pytest.param("id_rsa.pub", "name of a file", id="a bare file name"),
        pytest.param("https://github.com/me.keys", "an address", id="an address"),
        pytest.param("<!doctype html>", "web page", id="a web page"),
        pytest.param(SHOWN, "fingerprint", id="what ssh-keygen -l shows"),
        pytest.param(SHOWN.split()[1], "fingerprint", id="a fingerprint alone"),
        pytest.param("MD5:" + ":".join(["0a"] * 16), "fingerprint", id="an old fingerprint"),
        pytest.param("2048 65537 1234567 me", "first protocol", id="a key of ssh 1"),
        pytest.param(f"git.example.com {ED25519}", "known_hosts", id="known_hosts"),
        pytest.param(f"[10.0.0.1]:22 {ED25519}", "known_hosts", id="known_hosts with a port"),
        pytest.param("ssh-ed25519", "missing", id="no blob"),
        pytest.param("ssh-ed25519 A*A=", "not base64", id="not base64"),
        pytest.param(f"{ED25519[:-4]}", "damaged", id="cut off"),
        pytest.param(f"{ED25519[:-5]}", "cut off", id="cut off within four letters"),
        pytest.param(f"{ED25519}AAAA", "not base64|damaged", id="too long"),
        pytest.param("ssh-rsa " + ED25519.split()[1], "damaged", id="another kind inside"),
        pytest.param("ssh-ed25519 " + encoded(b"ssh-ed25519", bytes(31)), "damaged", id="short"),
        pytest.param(f"ssh-rsa {RSA_1024}", "1024 bits", id="short RSA"),
        pytest.param(f"ssh-rsa {RSA_PADDED}", "damaged", id="number with zeros in front"),
        pytest.param(f"ssh-rsa {RSA_NEGATIVE}", "damaged", id="negative number"),
        pytest.param(f"ecdsa-sha2-nistp256 {POINT_FORM}", "damaged", id="compressed point"),
        pytest.param(f"ecdsa-sha2-nistp256 {OTHER_CURVE}", "damaged", id="another curve"),
        pytest.param(f'from="10.0.0.0/8" {ED25519}', "from anywhere", id="from"),
        pytest.param(f"no-pty,cert-authority {ED25519}", "cert", id="cert-authority"),
        pytest.param(f'expiry-time="20270101" {ED25519}', "for ever", id="expiry-time"),
        pytest.param(f"no-pty,no-such-thing {ED25519}", "no-such-thing", id="unknown option"),
        pytest.param(f"{ED25519}\nssh-dss AAAA\n", "line 2: DSA", id="one bad line"),
        pytest.param("ssh-dss AAAA", "DSA", id="DSA"),
        pytest.param("sk-ssh-ed25519@openssh.com AAAA", "security tokens", id="token"),
        pytest.param("ssh-ed25519-cert-v01@openssh.com AAAA", "certificates", id="certificate"),
        pytest.param(CUT_SSH2, "damaged", id="SSH2, cut off"),
        pytest.param(CUT_PEM, "damaged", id="PEM, cut off"),
        pytest.param(X509, "a certificate", id="X.509"),
        pytest.param(PGP, "PGP", id="PGP"),
        pytest.param("b3BlbnNzaC1rZXktdjEAAAAA", "private key", id="private without its frame"),
        pytest.param("-----BEGIN EC PRIVATE KEY-----", "private key", id="PEM private"),
        pytest.param("PuTTY-User-Key-File-3: ssh-ed25519", "private key", id="PuTTY"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason_and_a_remedy(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as refused:
        PublicKey.parse(NAME, text)
    assert refused.value.hint
