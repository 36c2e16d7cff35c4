"""The server's own key is made once, kept private, and shown so that people can check it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko.pkey import PKey, UnknownKeyType
from paramiko.ssh_exception import SSHException

from pushdeploy.domain import key_blob
from pushdeploy.domain.errors import UserError


def create_host_key(path: Path) -> None:
    """Make an ed25519 key in OpenSSH's format, mode 0600; one that is there is left alone.

    Written beside and linked into place: a crash leaves no half of a key, and two at the same time
    end up with the same one.
    """
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_private(draft, _new_key())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def load_host_key(path: Path) -> PKey:
    """Raise ``UserError`` when it is missing, damaged or readable by others."""
    try:
        if path.stat().st_mode & 0o077:
            raise UserError(f"the host key {path} can be read by others", f"chmod 600 {path}")
        return PKey.from_path(path)
    except OSError as error:
        raise UserError(
            f"the host key {path} cannot be read: {error.strerror}", "pushdeploy init makes one"
        ) from error
    except (SSHException, UnknownKeyType, ValueError, TypeError) as error:
        raise UserError(
            f"the host key {path} is damaged", "restore it from a backup, or remove it and run init"
        ) from error


def fingerprint(path: Path) -> str:
    """Return ``SHA256:…`` of the host key, as ssh shows it at the first connection."""
    return key_blob.fingerprint(load_host_key(path).asbytes())


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    )


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
