"""What clients that break the rules can do when they have logged in: nothing that lasts."""

import paramiko
import pytest
from paramiko.common import (
    cMSG_CHANNEL_DATA,
    cMSG_CHANNEL_EXTENDED_DATA,
)

from pushdeploy.ssh.connection import MOST_SESSIONS
from tests.unit.ssh.attacking import number, resident_bytes, send, string
from tests.unit.ssh.host import DEADLINE_SECONDS, Host, logged_in, until


def test_client_that_ignores_its_window_is_cut_off(host: Host) -> None:
    host.commands.expect("one")
    before = resident_bytes()
    with logged_in(host) as transport:
        channel = transport.open_session()
        channel.exec_command("wait one")
        assert host.commands.begun["one"].wait(DEADLINE_SECONDS)
        with pytest.raises((OSError, EOFError)):  # noqa: PT012 - at the latest after some
            for _ in range(10_000):
                send(transport, cMSG_CHANNEL_DATA, number(0), string(bytes(32_000)))
        until(lambda: not transport.is_active())
    assert host.commands.cancelled["one"].wait(DEADLINE_SECONDS)
    assert resident_bytes() - before < 30 * 1024 * 1024


def test_client_has_no_error_stream_to_send(host: Host) -> None:
    with logged_in(host) as transport:
        transport.open_session().exec_command("cat")
        send(transport, cMSG_CHANNEL_EXTENDED_DATA, number(0), number(1), string(b"x"))
        until(lambda: not transport.is_active())


def test_session_runs_one_command(host: Host) -> None:
    with logged_in(host) as transport:
        channel = transport.open_session()
        channel.exec_command("cat")
        with pytest.raises(paramiko.SSHException):
            channel.exec_command("whoami")


def test_command_that_is_not_text_is_refused(host: Host) -> None:
    with logged_in(host) as transport, pytest.raises(paramiko.SSHException):
        transport.open_session().exec_command(b"echo \xff")


def test_sessions_of_one_connection_are_limited_and_come_free_again(host: Host) -> None:
    with logged_in(host) as transport:
        channels = [transport.open_session() for _ in range(MOST_SESSIONS)]
        with pytest.raises(paramiko.ChannelException):
            transport.open_session()
        channels.pop().close()
        until(lambda: _opens(transport))


def _opens(transport: paramiko.Transport) -> bool:
    try:
        transport.open_session()
    except paramiko.ChannelException:
        return False
    return True


def test_only_sessions_can_be_opened(host: Host) -> None:
    with logged_in(host) as transport:
        for kind in ("direct-tcpip", "x11", "forwarded-tcpip", "auth-agent@openssh.com", "tun"):
            with pytest.raises(paramiko.ChannelException):
                transport.open_channel(kind, ("127.0.0.1", 22), ("127.0.0.1", 1))
        assert transport.is_active()
