"""What strangers, and clients that break the rules, can do to the server: nothing that lasts."""

import logging
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest
from paramiko.common import (
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_UNIMPLEMENTED,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_PK_OK,
    cMSG_CHANNEL_DATA,
    cMSG_CHANNEL_EXTENDED_DATA,
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
from pushdeploy.ssh.connection import MOST_SESSIONS
from tests.unit.ssh.host import DEADLINE_SECONDS, Host, Serve, logged_in, make_key, strange, until

GRACE_SECONDS = 1.0
BANNER = b"SSH-2.0-attacker\r\n"
HUGE = b"\xff\xff\xff\xfc" + bytes(4)
"""The start of the longest packet that is a multiple of the block size."""

AT_ONCE_SECONDS = 4.0  # on a busy machine; the server's own time limits are 10 and 20


def seconds_until_closed(sock: socket.socket, drip: bytes = b"") -> float:
    """How long the server keeps the connection; ``drip`` is sent every 50 ms."""
    started = time.monotonic()
    sock.settimeout(0.05)
    while time.monotonic() - started < DEADLINE_SECONDS:
        try:
            if drip:
                sock.sendall(drip)
            if not sock.recv(65536):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - started


def send(transport: paramiko.Transport, *parts: bytes) -> None:
    message = paramiko.Message()
    for part in parts:
        message.add_bytes(part)
    transport._send_message(message)  # type: ignore[attr-defined]


def string(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


# ------------------------------------------------------------------- before any keys


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        pytest.param(b"", b"", id="silent"),
        pytest.param(b"SSH-2.0-", b"x", id="slow banner"),
        pytest.param(BANNER, b"", id="silent after the banner"),
        pytest.param(BANNER + number(1004), b"x", id="slow packet"),
    ],
)
def test_stranger_is_sent_away_when_the_login_grace_is_over(
    serve: Serve, first: bytes, drip: bytes
) -> None:
    host = serve(login_grace_seconds=GRACE_SECONDS)
    with host.connect() as sock:
        sock.sendall(first)
        assert GRACE_SECONDS - 0.2 < seconds_until_closed(sock, drip) < GRACE_SECONDS + 5


def test_stranger_who_agrees_on_keys_and_never_logs_in_is_sent_away(serve: Serve) -> None:
    host = serve(login_grace_seconds=GRACE_SECONDS)
    with strange(host) as transport:
        until(lambda: not transport.is_active(), GRACE_SECONDS + 5)


def test_grace_ends_with_the_login(serve: Serve) -> None:
    host = serve(login_grace_seconds=GRACE_SECONDS)
    with strange(host) as stranger, logged_in(host) as transport:
        until(lambda: not stranger.is_active(), GRACE_SECONDS + 5)
        assert transport.is_active()


@pytest.mark.parametrize(
    "bytes_sent",
    [
        pytest.param(b"GET / HTTP/1.1\r\n", id="another protocol"),
        pytest.param(b"hello\r\n" + BANNER, id="lines before the banner"),
        pytest.param(b"SSH-" + b"x" * 300, id="endless banner"),
        pytest.param(b"SSH-2.0-" + b"x" * 300 + b"\r\n", id="long banner"),
        pytest.param(b"SSH-2.0-\xff\xfe\r\n", id="banner that is not ASCII"),
        pytest.param(b"SSH-1.5-old\r\n", id="old protocol"),
        pytest.param(BANNER + HUGE, id="packet of 4 GiB"),
        pytest.param(BANNER + number(40_004) + bytes(12), id="packet too long for a stranger"),
        pytest.param(BANNER + bytes(64), id="empty packets"),
        pytest.param(BANNER + number(12) + b"\x04\x34" + bytes(10), id="login before keys"),
    ],
)
def test_nonsense_ends_the_connection_at_once(host: Host, bytes_sent: bytes) -> None:
    with host.connect() as sock:
        sock.sendall(bytes_sent)
        assert seconds_until_closed(sock) < AT_ONCE_SECONDS
    assert host.ssh("whoami").returncode == 0


def test_flood_of_data_is_not_kept(host: Host) -> None:
    before = resident_bytes()
    with host.connect() as sock:
        sock.sendall(BANNER + HUGE)
        with pytest.raises((ConnectionError, TimeoutError)):  # noqa: PT012 - sooner or later
            for _ in range(200):
                sock.sendall(bytes(1024 * 1024))
    assert resident_bytes() - before < 20 * 1024 * 1024


def test_slow_key_exchange_is_not_offered(host: Host) -> None:
    with (
        pytest.raises(paramiko.SSHException),
        strange(host, disabled_algorithms={"kex": _all_but("diffie-hellman-group16-sha512")}),
    ):
        pass


def _all_but(name: str) -> list[str]:
    offered = paramiko.Transport._preferred_kex  # type: ignore[attr-defined]
    return [other for other in offered if other != name]


# ------------------------------------------------------------------- before the login


def test_channel_before_the_login_is_refused_cve_2018_7750_regression(host: Host) -> None:
    with strange(host) as transport:
        replies = _record(transport, MSG_CHANNEL_OPEN_FAILURE)
        send(transport, cMSG_CHANNEL_OPEN, string(b"session"), number(0), number(1), number(1))
        assert replies.wait(DEADLINE_SECONDS)
        send(transport, cMSG_CHANNEL_REQUEST, number(0), string(b"exec"), b"\1", string(b"exit 0"))
        until(lambda: not transport.is_active(), 5)


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
        assert answered.wait(5)
        assert time.process_time() - spent < 1


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
        until(lambda: not transport.is_active(), 5)


def test_stranger_may_not_chat(host: Host) -> None:
    with strange(host) as transport:
        with pytest.raises((OSError, EOFError)):  # noqa: PT012 - at the latest after some
            for _ in range(100_000):
                send(transport, cMSG_IGNORE, string(b"x"))
        until(lambda: not transport.is_active(), 5)


def test_login_requests_are_counted(host: Host) -> None:
    known = paramiko.Ed25519Key.from_private_key_file(str(host.key))
    with strange(host) as transport:
        send(transport, cMSG_SERVICE_REQUEST, string(b"ssh-userauth"))
        for _ in range(25):
            try:
                send(transport, *_question(known))
            except (OSError, EOFError):
                break
        until(lambda: not transport.is_active(), 5)


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


# ------------------------------------------------------------------- many at a time


def test_full_house_refuses_newcomers_until_the_oldest_have_had_their_time(serve: Serve) -> None:
    host = serve(max_startups=5)
    silent = [host.connect() for _ in range(5)]
    until(lambda: len(host.server._startups) == 5)
    with host.connect() as sock:
        assert seconds_until_closed(sock) < AT_ONCE_SECONDS
    until(lambda: host.ssh("whoami").returncode == 0, 10)
    for sock in silent:
        sock.close()


def test_one_host_cannot_take_all_the_room(serve: Serve) -> None:
    host = serve(max_startups_per_host=2)
    with host.connect(), host.connect():
        until(lambda: len(host.server._startups) == 2)
        with host.connect() as sock:
            assert seconds_until_closed(sock) < AT_ONCE_SECONDS
        elsewhere = socket.create_connection(
            (host.address.host, host.address.port), source_address=("127.0.0.2", 0)
        )
        with elsewhere:
            assert elsewhere.recv(100).startswith(b"SSH-2.0-pushdeploy")


def test_commands_run_while_strangers_flood_the_door(serve: Serve) -> None:
    host = serve()
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            with host.connect() as sock:
                sock.sendall(BANNER + bytes(64))
                seconds_until_closed(sock)

    with ThreadPoolExecutor(4) as pool:
        floods = [pool.submit(flood) for _ in range(4)]
        try:
            assert [host.ssh("whoami").returncode for _ in range(5)] == [0] * 5
        finally:
            stop.set()
        for done in floods:
            done.result()


def test_two_hundred_connections_at_once_all_work(host: Host) -> None:
    count = 200
    key = paramiko.Ed25519Key.from_private_key_file(str(host.key))
    everybody = threading.Barrier(count, timeout=60)

    def visit(visitor: int) -> bytes:
        transport = paramiko.Transport(host.connect())
        try:
            transport.banner_timeout = transport.auth_timeout = 60
            transport.start_client(timeout=60)
            transport.auth_publickey("deploy", key)
            everybody.wait()
            channel = transport.open_session()
            channel.exec_command(f"echo {visitor}")
            return channel.recv(100)
        finally:
            transport.close()
            transport.sock.close()
            transport.join()

    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(visit, range(count)))
    assert answers == [b"%d\n" % visitor for visitor in range(count)]
    until(lambda: not host.server._transports)
    until(lambda: not [thread for thread in threading.enumerate() if "ssh command" in thread.name])


# ------------------------------------------------------------------- after the login


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
        until(lambda: not transport.is_active(), 5)
    assert host.commands.cancelled["one"].wait(2)
    assert resident_bytes() - before < 30 * 1024 * 1024


def test_client_has_no_error_stream_to_send(host: Host) -> None:
    with logged_in(host) as transport:
        transport.open_session().exec_command("cat")
        send(transport, cMSG_CHANNEL_EXTENDED_DATA, number(0), number(1), string(b"x"))
        until(lambda: not transport.is_active(), 5)


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
        until(lambda: _opens(transport), 5)


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
