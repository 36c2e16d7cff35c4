"""Public keys in the forms that other programs write, read back by the keys' own fingerprints."""

import base64
import subprocess
from pathlib import Path

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.key_text import decoded
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.public_key import PublicKey

NAME = KeyName("laptop")
KINDS = [
    ("-t", "ed25519"),
    ("-t", "rsa", "-b", "3072"),
    ("-t", "ecdsa", "-b", "256"),
    ("-t", "ecdsa", "-b", "384"),
    ("-t", "ecdsa", "-b", "521"),
]


def make(folder: Path, *arguments: str, name: str = "key", comment: str = "me@home") -> Path:
    """The path of a new .pub file."""
    path = folder / name
    command = ["ssh-keygen", "-q", *arguments, "-N", "", "-C", comment, "-f", str(path)]
    subprocess.run(command, check=True)
    return path.with_name(f"{name}.pub")


def converted(public: Path, form: str) -> str:
    command = ["ssh-keygen", "-e", "-m", form, "-f", str(public)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def blobs(text: str) -> list[str]:
    return [key.base64 for key in PublicKey.several(NAME, text)]


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("keys"), "-t", "ed25519")


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("keys"), "-t", "rsa", "-b", "2048")


@pytest.mark.parametrize("arguments", KINDS, ids=lambda arguments: "-".join(arguments[1::2]))
@pytest.mark.parametrize("form", ["RFC4716", "PKCS8", "PEM"])
def test_what_ssh_keygen_converts_is_the_same_key(
    tmp_path: Path, arguments: tuple[str, ...], form: str
) -> None:
    if form != "RFC4716" and "ed25519" in arguments:
        pytest.skip("ssh-keygen writes no PEM of Ed25519 keys")
    public = make(tmp_path, *arguments)
    assert blobs(converted(public, form)) == [public.read_text().split()[1]]


def test_pem_of_an_ed25519_key_is_read(public: Path) -> None:
    """As ``openssl pkey -pubout`` writes it: a fixed head (RFC 8410) and the 32 bytes."""
    raw = base64.b64decode(public.read_text().split()[1])[-32:]
    der = bytes.fromhex("302a300506032b6570032100") + raw
    text = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----"
    assert blobs(text) == [public.read_text().split()[1]]


def test_headers_of_ssh2_may_go_on_over_lines(public: Path) -> None:
    blob = public.read_text().split()[1]
    text = (
        "---- BEGIN SSH2 PUBLIC KEY ----\r\nSubject: me\r\n"
        'Comment: "a long one that\\\r\n goes on"\r\n'
        f"{blob[:40]}\r\n{blob[40:]}\r\n---- END SSH2 PUBLIC KEY ----\r\n"
    )
    assert blobs(text) == [blob]


@pytest.mark.parametrize(
    "options",
    [
        "no-pty,no-X11-forwarding",
        "restrict",
        'command="tool --as \\"me\\" now",no-pty',
        'environment="A=b c",permitopen="10.0.0.1:80"',
        "no-pty,\tpty",
    ],
)
def test_options_that_narrow_nothing_here_are_dropped_and_told(public: Path, options: str) -> None:
    line = public.read_text()
    options = options.replace("\t", "")
    key = PublicKey.parse(NAME, f"{options} {line}")
    assert key.base64 == line.split()[1]
    assert "does not hold here" in key.admission[-1]
    assert len(PublicKey.parse(NAME, line).admission) == 1


def test_a_file_of_authorized_keys_gives_each_key_a_name(public: Path, rsa: Path) -> None:
    text = f'# mine\n\n{public.read_text()}command="x" {rsa.read_text()}\n{public.read_text()}'
    keys = PublicKey.several(NAME, text)
    assert [str(key.name) for key in keys] == ["laptop", "laptop-2"]
    assert [key.kind for key in keys] == ["ssh-ed25519", "ssh-rsa"]


def test_forms_may_stand_side_by_side(public: Path, rsa: Path) -> None:
    text = public.read_text() + converted(rsa, "RFC4716") + "\n"
    assert set(blobs(text)) == {path.read_text().split()[1] for path in (public, rsa)}


def test_the_key_alone_names_its_kind(public: Path, rsa: Path) -> None:
    for path in (public, rsa):
        kind, blob, _ = path.read_text().split()
        assert PublicKey.parse(NAME, blob).kind == kind


@pytest.mark.parametrize("width", [64, 70, 76, 100])
def test_a_key_that_a_terminal_broke_into_lines_is_made_whole(rsa: Path, width: int) -> None:
    line = rsa.read_text().strip()
    broken = "\r\n".join(line[start : start + width] for start in range(0, len(line), width))
    assert blobs(f"{broken}\n") == [line.split()[1]]


@pytest.mark.parametrize("quote", ['"', "'", "`"])
def test_quotes_around_a_line_do_no_harm(public: Path, quote: str) -> None:
    assert blobs(f"{quote}{public.read_text().strip()}{quote}\n") == [public.read_text().split()[1]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_files_of_other_machines_are_decoded(public: Path, encoding: str) -> None:
    data = public.read_text().replace("\n", "  \r\n").encode(encoding)
    assert blobs(decoded(data)) == [public.read_text().split()[1]]


def test_a_comment_in_another_encoding_does_no_harm(public: Path) -> None:
    data = public.read_bytes().strip() + b" J\xf6rg\n"
    assert blobs(decoded(data)) == [public.read_text().split()[1]]


@pytest.mark.parametrize("form", ["RFC4716", "PKCS8", "PEM"])
def test_every_cut_of_a_block_is_refused_in_words(rsa: Path, form: str) -> None:
    body = converted(rsa, form).strip().rpartition("\n")[0]
    for end in range(1, len(body) - 2):
        with pytest.raises(UserError):
            PublicKey.several(NAME, body[:end])


def test_every_cut_of_a_line_is_refused_in_words(public: Path) -> None:
    line = " ".join(public.read_text().split()[:2])
    for end in range(len(line)):
        with pytest.raises(UserError):
            PublicKey.several(NAME, line[:end])


def test_private_keys_of_every_format_are_recognised(tmp_path: Path) -> None:
    for form in ("RFC4716", "PEM", "PKCS8"):
        make(tmp_path, "-t", "rsa", "-b", "2048", "-m", form, name=form)
        with pytest.raises(UserError, match="private key"):
            PublicKey.several(NAME, (tmp_path / form).read_text())


def test_a_file_of_certificates_is_named(tmp_path: Path, public: Path) -> None:
    authority = make(tmp_path, "-t", "ed25519", name="authority").with_suffix("")
    copy = tmp_path / "me.pub"
    copy.write_text(public.read_text())
    command = ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", "me", str(copy)]
    subprocess.run(command, check=True)
    with pytest.raises(UserError, match="certificates"):
        PublicKey.several(NAME, (tmp_path / "me-cert.pub").read_text())
