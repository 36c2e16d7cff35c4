"""What strangers, and clients that break the rules, can do to the server: nothing that lasts."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pytest

from tests.unit.ssh.attacking import number, resident_bytes
from tests.unit.ssh.host import DEADLINE_SECONDS, Host, Serve, logged_in, strange, until

GRACE_SECONDS = 1.0
BANNER = b"SSH-2.0-attacker\r\n"
HUGE = b"\xff\xff\xff\xfc" + bytes(4)
"""The start of the longest packet that is a multiple of the block size."""

AT_ONCE_SECONDS = 9.0
"""On a machine that is slow or busy; the server's own time limits are 10 and 20."""


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
        assert GRACE_SECONDS - 0.2 < seconds_until_closed(sock, drip) < DEADLINE_SECONDS


def test_stranger_who_agrees_on_keys_and_never_logs_in_is_sent_away(serve: Serve) -> None:
    host = serve(login_grace_seconds=GRACE_SECONDS)
    with strange(host) as transport:
        until(lambda: not transport.is_active())


def test_grace_ends_with_the_login(serve: Serve) -> None:
    host = serve(login_grace_seconds=GRACE_SECONDS)
    with strange(host) as stranger, logged_in(host) as transport:
        until(lambda: not stranger.is_active())
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


# ------------------------------------------------------------------- many at a time


def test_full_house_refuses_newcomers_until_the_oldest_have_had_their_time(serve: Serve) -> None:
    host = serve(max_startups=5)
    silent = [host.connect() for _ in range(5)]
    until(lambda: len(host.server._startups) == 5)
    with host.connect() as sock:
        assert seconds_until_closed(sock) < AT_ONCE_SECONDS
    until(lambda: host.ssh("whoami").returncode == 0)
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
