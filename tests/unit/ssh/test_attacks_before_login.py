"""What strangers can do who have agreed on keys and not logged in: nothing."""

import logging
import threading
import time
from pathlib import Path

import paramiko
import pytest
from paramiko.common import (
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_UNIMPLEMENTED,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_PK_OK,
    cMSG_CHANNEL_OPEN,
    cMSG_CHANNEL_REQUEST,
    cMSG_EXT_INFO,
    cMSG_IGNORE,
    cMSG_SERVICE_REQUEST,
    cMSG_USERAUTH_INFO_RESPONSE,
    cMSG_USERAUTH_REQUEST,
    cMSG_USERAUTH_SUCCESS,
)

from pushdeploy.domain.names import KeyName
from pushdeploy.domain.public_key import PublicKey
from tests.unit.ssh.attacking import number, send, string
from tests.unit.ssh.host import DEADLINE_SECONDS, Host, Serve, make_key, strange, until


def test_channel_before_the_login_is_refused_cve_2018_7750_regression(host: Host) -> None:
    with strange(host) as transport:
        replies = _record(transport, MSG_CHANNEL_OPEN_FAILURE)
        send(transport, cMSG_CHANNEL_OPEN, string(b"session"), number(0), number(1), number(1))
        assert replies.wait(DEADLINE_SECONDS)
        send(transport, cMSG_CHANNEL_REQUEST, number(0), string(b"exec"), b"\1", string(b"exit 0"))
        until(lambda: not transport.is_active())


def test_success_message_from_a_client_is_no_login_cve_2018_1000805_regression(
    host: Host,
) -> None:
    with strange(host) as transport:
        unknown = _record(transport, MSG_UNIMPLEMENTED)
        send(transport, cMSG_USERAUTH_SUCCESS)
        assert unknown.wait(DEADLINE_SECONDS)
        refused = _record(transport, MSG_CHANNEL_OPEN_FAILURE)
        send(transport, cMSG_CHANNEL_OPEN, string(b"session"), number(0), number(1), number(1))
        assert refused.wait(DEADLINE_SECONDS)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(cMSG_USERAUTH_INFO_RESPONSE, id="answers"),
        pytest.param(cMSG_EXT_INFO, id="extensions"),
    ],
)
def test_message_with_four_billion_items_is_not_counted_out(host: Host, kind: bytes) -> None:
    with strange(host) as transport:
        spent = time.process_time()
        send(transport, kind, number(0xFFFFFFFF))
        answered = _record(transport, MSG_CHANNEL_OPEN_FAILURE)
        send(transport, cMSG_CHANNEL_OPEN, string(b"session"), number(0), number(1), number(1))
        assert answered.wait(DEADLINE_SECONDS)
        assert time.process_time() - spent < 10, "four billion take minutes"


def _record(transport: paramiko.Transport, kind: int) -> threading.Event:
    """Set when the server has answered with this kind of message."""
    seen = threading.Event()
    transport._handler_table = {  # type: ignore[attr-defined]
        **transport._handler_table,  # type: ignore[attr-defined]
        kind: lambda message: seen.set(),
    }
    return seen


def test_keys_are_agreed_on_once_before_the_login(host: Host) -> None:
    with strange(host) as transport:
        with pytest.raises((paramiko.SSHException, EOFError)):
            transport.renegotiate_keys()
        until(lambda: not transport.is_active())


def test_stranger_may_not_chat(host: Host) -> None:
    with strange(host) as transport:
        with pytest.raises((OSError, EOFError)):  # noqa: PT012 - at the latest after some
            for _ in range(100_000):
                send(transport, cMSG_IGNORE, string(b"x"))
        until(lambda: not transport.is_active())


def test_login_requests_are_counted(host: Host) -> None:
    known = paramiko.Ed25519Key.from_private_key_file(str(host.key))
    with strange(host) as transport:
        send(transport, cMSG_SERVICE_REQUEST, string(b"ssh-userauth"))
        for _ in range(25):
            try:
                send(transport, *_question(known))
            except (OSError, EOFError):
                break
        until(lambda: not transport.is_active())


def test_unknown_key_is_not_worth_a_signature(host: Host, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    stranger = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "stranger"))
    known = paramiko.Ed25519Key.from_private_key_file(str(host.key))
    with strange(host) as transport:
        refused = _record(transport, MSG_USERAUTH_FAILURE)
        accepted = _record(transport, MSG_USERAUTH_PK_OK)
        send(transport, cMSG_SERVICE_REQUEST, string(b"ssh-userauth"))
        send(transport, *_question(stranger))
        assert refused.wait(DEADLINE_SECONDS)
        refused.clear()
        send(transport, *_question(known, algorithm="rsa-sha2-512"))
        assert refused.wait(DEADLINE_SECONDS)
        assert not accepted.is_set()
        send(transport, *_question(known))
        assert accepted.wait(DEADLINE_SECONDS)


def _question(key: paramiko.PKey, algorithm: str = "") -> tuple[bytes, ...]:
    """Whether this key would be accepted, without a signature."""
    return (
        cMSG_USERAUTH_REQUEST,
        *(string(part) for part in (b"deploy", b"ssh-connection", b"publickey")),
        b"\0",
        string((algorithm or key.get_name()).encode()),
        string(key.asbytes()),
    )


def test_key_that_was_only_asked_about_is_not_who_logs_in(serve: Serve, tmp_path: Path) -> None:
    host = serve(make_key(tmp_path / "admin"))
    admin = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "admin"))
    own = paramiko.Ed25519Key.from_private_key_file(str(host.key))
    with strange(host) as transport:
        accepted = _record(transport, MSG_USERAUTH_PK_OK)
        send(transport, cMSG_SERVICE_REQUEST, string(b"ssh-userauth"))
        send(transport, *_question(admin))
        assert accepted.wait(DEADLINE_SECONDS)
        transport.auth_publickey("deploy", own)
        send(transport, *_question(admin))
        channel = transport.open_session()
        channel.exec_command("whoami")
        assert channel.recv(100) == b"laptop None\n"


def test_authorized_key_with_a_signature_of_another_is_refused(
    host: Host, tmp_path: Path, client_key: tuple[Path, PublicKey]
) -> None:
    make_key(tmp_path / "thief")

    class Stolen(paramiko.Ed25519Key):
        """Signs with the thief's key, shows the owner's."""

        def asbytes(self) -> bytes:
            return owner.asbytes()

    owner = paramiko.Ed25519Key.from_private_key_file(str(host.key))
    with strange(host) as transport, pytest.raises(paramiko.AuthenticationException):
        transport.auth_publickey("deploy", Stolen(filename=str(tmp_path / "thief")))
    assert transport.is_authenticated() is False


@pytest.mark.parametrize("method", ["none", "password", "keyboard-interactive", "hostbased"])
def test_there_is_no_other_way_in(host: Host, method: str) -> None:
    with strange(host) as transport:
        refused = _record(transport, MSG_USERAUTH_FAILURE)
        send(transport, cMSG_SERVICE_REQUEST, string(b"ssh-userauth"))
        names = (string(part) for part in (b"deploy", b"ssh-connection", method.encode()))
        send(transport, cMSG_USERAUTH_REQUEST, *names, b"\0", string(b""), string(b""))
        assert refused.wait(DEADLINE_SECONDS)


def test_failing_look_up_of_a_key_refuses_the_login(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(kind: str, encoded: str) -> KeyName | None:
        raise RuntimeError("no database")

    host = serve()
    monkeypatch.setattr(host.server, "_authorized", broken)
    with caplog.at_level(logging.ERROR):
        done = host.ssh("whoami")
    assert b"Permission denied (publickey)" in done.stderr
    assert "no database" in caplog.text
