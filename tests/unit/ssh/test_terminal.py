"""Terminals, cancelling, and clients that vanish or stop reading."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from pathlib import Path

import paramiko
import pytest
from paramiko.common import cMSG_CHANNEL_REQUEST

from pushdeploy.domain.ports.streams import WindowSize
from pushdeploy.ssh import session_channel
from tests.unit.ssh.host import Host, logged_in, until

SOON_SECONDS = 15.0


def test_terminal_has_its_name_and_its_kind_of_newlines(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert host.ssh("whoami", options=["-tt"]).stdout == b"laptop xterm-256color\r\n"


def test_terminal_shows_errors_among_the_rest(host: Host) -> None:
    done = host.ssh("exit 3", options=["-tt"])
    assert (done.returncode, done.stdout) == (3, b"leaving\r\n")


def test_odd_terminal_names_and_sizes_are_replaced(host: Host) -> None:
    with logged_in(host) as transport:
        channel = transport.open_session()
        channel.get_pty("$(reboot)", width=0, height=2**31)
        channel.exec_command("size")
        assert channel.recv(100) == b"watching\r\n"
        channel.shutdown_write()
        channel.recv_exit_status()
        other = transport.open_session()
        other.get_pty("$(reboot)")
        other.exec_command("whoami")
        assert other.recv(100) == b"laptop xterm\r\n"
    assert host.commands.sizes == [WindowSize(80, 5000)]


def test_window_changes_reach_the_command(host: Host) -> None:
    ours, theirs = pty.openpty()
    _resize(ours, columns=100, rows=40)
    arguments = [*host.arguments("-t"), "size"]
    with subprocess.Popen(arguments, stdin=theirs, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"watching\r\n"
        assert host.commands.sizes == [WindowSize(100, 40)]
        _resize(ours, columns=132, rows=50)
        client.send_signal(signal.SIGWINCH)
        with host.commands.resized:
            assert host.commands.resized.wait_for(
                lambda: host.commands.sizes[-1] == WindowSize(132, 50), 10
            )
        client.kill()
    os.close(ours)
    os.close(theirs)


def _resize(terminal: int, columns: int, rows: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def test_ctrl_c_in_a_terminal_cancels_a_command_that_does_not_read(host: Host) -> None:
    host.commands.expect("one")
    with host.started("wait one", options=["-tt"]) as client:
        assert client.stdin is not None
        assert host.commands.begun["one"].wait(20)
        client.stdin.write(b"\x03")
        client.stdin.flush()
        assert client.wait(SOON_SECONDS) == 130
    assert host.commands.reasons["one"] == "cancelled: Ctrl-C"


def test_ctrl_c_is_a_byte_like_others_in_raw_mode(host: Host) -> None:
    with host.started("keys", options=["-tt"]) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stdout.readline() == b"ready\n"
        client.stdin.write(b"a\x03\r\nq")
        client.stdin.flush()
        assert client.stdout.read() == b"a\x03\r\nq"
        assert client.wait(SOON_SECONDS) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_or_killed_client_cancels_its_command(
    host: Host, number: signal.Signals
) -> None:
    host.commands.expect("one")
    with host.started("wait one") as client:
        assert host.commands.begun["one"].wait(20)
        client.send_signal(number)
        assert host.commands.cancelled["one"].wait(SOON_SECONDS)
    until(lambda: host.commands.reasons == {"one": "cancelled: the client went away"})


def test_end_of_input_is_not_a_disconnect(host: Host) -> None:
    host.commands.expect("one")
    with host.started("wait one") as client:
        assert client.stdin is not None
        client.stdin.close()
        assert host.commands.begun["one"].wait(20)
        assert not host.commands.cancelled["one"].wait(0.3)


def test_signal_from_the_client_cancels(host: Host) -> None:
    host.commands.expect("one")
    with logged_in(host) as transport:
        channel = transport.open_session()
        channel.exec_command("wait one")
        assert host.commands.begun["one"].wait(20)
        transport._send_message(_signal(channel, "WINCH"))  # type: ignore[attr-defined]
        transport._send_message(_signal(channel, "TERM"))  # type: ignore[attr-defined]
        assert channel.recv_exit_status() == 130
    assert host.commands.reasons == {"one": "cancelled: SIGTERM"}


def _signal(channel: paramiko.Channel, name: str) -> paramiko.Message:
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("signal")
    message.add_boolean(False)
    message.add_string(name)
    return message


def test_stopped_client_blocks_nobody_else_and_goes_on_later(host: Host) -> None:
    with host.started("pour 20") as client:
        assert client.stdout is not None
        assert client.stdout.read(1) == b"\0"
        client.send_signal(signal.SIGSTOP)
        assert host.ssh("whoami").returncode == 0
        client.send_signal(signal.SIGCONT)
        rest, _ = client.communicate(timeout=20)
        assert len(rest) == 20 * 1024 * 1024 - 1
        assert client.returncode == 0


def test_session_that_is_not_read_leaves_its_connection_to_the_others(host: Host) -> None:
    with logged_in(host) as transport:
        full = transport.open_session()
        full.exec_command("pour 10")
        until(lambda: len(full.in_buffer) >= full.in_window_size)
        other = transport.open_session()
        other.exec_command("whoami")
        assert other.recv(100) == b"laptop None\n"


def test_client_that_never_reads_again_counts_as_gone(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_channel, "_STALLED_SECONDS", 0.5)
    with logged_in(host) as transport:
        channel = transport.open_session()
        channel.exec_command("pour 10")
        until(lambda: channel.closed)


def test_stopping_the_server_cancels_and_waits_for_commands(host: Host, tmp_path: Path) -> None:
    host.commands.expect("one")
    with host.started("wait one") as client:
        assert host.commands.begun["one"].wait(20)
        host.server.stop()
        assert host.commands.reasons == {"one": "cancelled: the client went away"}
        assert client.wait(SOON_SECONDS) == 255
    with pytest.raises(ConnectionRefusedError):
        host.connect()
