"""Strangers at the door who never log in: how long each is let stand there, as JSON.

python -m benchmarks.attackers PORT: two hundred at once, from an address of their own.
"""

import json
import logging
import socket
import struct
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import paramiko

_ADDRESS = "127.0.0.2"
_GIVE_UP_SECONDS = 60.0
_DRIP_SECONDS = 1.0
_BANNER = b"SSH-2.0-stranger\r\n"
_ENDLESS_PACKET = struct.pack(">I", 0xFFFFFFFC) + bytes(4)
_FLOOD_BYTES = 64 * 1024**2
_INFO_RESPONSE = bytes([61])  # RFC 4256
_EXT_INFO = bytes([7])  # RFC 8308
_BILLIONS = struct.pack(">I", 0xFFFFFFFF)


def main() -> int:
    logging.disable()  # paramiko wonders about the answers
    port = int(sys.argv[1])
    with ThreadPoolExecutor(sum(number for number, _ in ATTACKS.values())) as pool:
        standing = {
            name: [pool.submit(_seconds, attack, port) for _ in range(number)]
            for name, (number, attack) in ATTACKS.items()
        }
        longest = {
            name: max(each.result() for each in attackers) for name, attackers in standing.items()
        }
    sys.stdout.write(json.dumps(longest) + "\n")
    return 0


def _seconds(attack: Callable[[socket.socket], None], port: int) -> float:
    """Until the server has closed the connection."""
    connection = socket.create_connection(
        ("127.0.0.1", port), _GIVE_UP_SECONDS, source_address=(_ADDRESS, 0)
    )
    started = time.monotonic()
    with connection, suppress(OSError, EOFError, paramiko.SSHException):
        attack(connection)
    return time.monotonic() - started


def _says(first: bytes, connection: socket.socket) -> None:
    connection.sendall(first)
    _listen(connection, _GIVE_UP_SECONDS)


def _drips(first: bytes, connection: socket.socket) -> None:
    """A byte a second, which starts every time-out afresh that is counted from the last one."""
    connection.sendall(first)
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while time.monotonic() < deadline and _listen(connection, _DRIP_SECONDS):
        connection.sendall(b"x")


def _floods(connection: socket.socket) -> None:
    connection.sendall(_BANNER + _ENDLESS_PACKET)
    for _ in range(_FLOOD_BYTES // 65536):
        connection.sendall(bytes(65536))
    _listen(connection, _GIVE_UP_SECONDS)


def _agrees_on_keys(message: bytes, connection: socket.socket) -> None:
    """And then says ``message``, or nothing."""
    transport = paramiko.Transport(connection)
    transport.start_client(timeout=_GIVE_UP_SECONDS)
    if message:
        with suppress(OSError, EOFError):
            transport._send_message(paramiko.Message(message))  # type: ignore[attr-defined]  # noqa: SLF001 - paramiko sends no nonsense by itself
    transport.join(_GIVE_UP_SECONDS)


def _listen(connection: socket.socket, seconds: float) -> bool:
    """False when the server has closed it meanwhile."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            if not connection.recv(65536):
                return False
        except TimeoutError:
            break
    return True


ATTACKS: dict[str, tuple[int, Callable[[socket.socket], None]]] = {
    "silent": (40, partial(_says, b"")),
    "slow banner": (40, partial(_drips, b"SSH-2.0-")),
    "another protocol": (10, partial(_says, b"GET / HTTP/1.1\r\n\r\n")),
    "silent after the banner": (40, partial(_says, _BANNER)),
    "slow packet": (30, partial(_drips, _BANNER + struct.pack(">I", 1004))),
    "packet of 4 GiB": (10, _floods),
    "keys, then silent": (20, partial(_agrees_on_keys, b"")),
    "four billion answers": (5, partial(_agrees_on_keys, _INFO_RESPONSE + _BILLIONS)),
    "four billion extensions": (5, partial(_agrees_on_keys, _EXT_INFO + _BILLIONS)),
}

if __name__ == "__main__":
    sys.exit(main())
