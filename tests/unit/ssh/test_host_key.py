"""The host key: made once, private, and refused when something is wrong with it."""

import subprocess
from pathlib import Path

import pytest

from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.settings import Address
from pushdeploy.ssh.keys import create_host_key, fingerprint
from pushdeploy.ssh.server import SshServer
from tests.unit.ssh.host import Host, NoAuditLog, host_key_line


def server(address: Address, host_key: Path, ciphers: str = "aead") -> SshServer:
    return SshServer(
        address,
        host_key,
        lambda *_: None,
        lambda *_: 0,
        lambda *_: 0,
        NoAuditLog(),
        ciphers=ciphers,
    )


def test_host_key_is_private_and_readable_by_openssh(tmp_path: Path) -> None:
    path = tmp_path / "host_key"
    create_host_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", path], capture_output=True, text=True, check=True
    )
    assert fingerprint(path) in shown.stdout
    public = subprocess.run(
        ["ssh-keygen", "-y", "-f", path], capture_output=True, text=True, check=True
    )
    assert public.stdout.split()[:2] == host_key_line(path).split()
    assert list(tmp_path.iterdir()) == [path]


def test_host_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "host_key"
    create_host_key(path)
    before = path.read_bytes()
    create_host_key(path)
    assert path.read_bytes() == before


def test_host_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "host_key"
    create_host_key(path)
    path.chmod(0o644)
    with pytest.raises(UserError) as refused:
        server(Address("127.0.0.1", 0), path).start()
    assert refused.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize("content", [b"", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_damaged_host_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "host_key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UserError, match="damaged"):
        fingerprint(path)


def test_missing_host_key_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        server(Address("127.0.0.1", 0), tmp_path / "host_key").start()
    assert refused.value.hint == "pushdeploy init makes one"


def test_address_in_use_is_said(host: Host, tmp_path: Path) -> None:
    create_host_key(tmp_path / "host_key")
    with pytest.raises(
        BackendDown, match=r"^ssh cannot listen on [0-9.:]+: Address already in use$"
    ):
        server(host.address, tmp_path / "host_key").start()


def test_unknown_choice_of_ciphers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'none' is not a choice"):
        server(Address("127.0.0.1", 0), tmp_path / "host_key", ciphers="none")
