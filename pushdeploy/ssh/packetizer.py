"""Paramiko's packets get limits, and need fewer calls to the kernel.

Stock paramiko buffers a packet of 4 GiB for anybody, gives each byte of the banner a new time-out
and reads lines in quadratic time.
"""

import socket
import time
from collections.abc import Callable
from contextlib import suppress

from paramiko.message import Message
from paramiko.packet import NeedRekeyException, Packetizer
from paramiko.ssh_exception import SSHException

_BANNER_BYTES = 255  # RFC 4253 §4.2
_STRANGER_PACKET_BYTES = 35_000  # RFC 4253 §6.1
_STRANGER_MESSAGES = 100
_STRANGER_READ_BYTES = 4096
_PACKET_BYTES = 256 * 1024 + 64
_READ_BYTES = 256 * 1024


class LimitedPacketizer(Packetizer):
    """The packetizer is strict with strangers; ``trust`` raises the limits after a login.

    ``idle`` is called, on the reading thread, whenever nothing came for the socket's time-out.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._socket = sock
        self._ahead = b""
        self._taken = 0
        self._longest = _STRANGER_PACKET_BYTES
        self._read_bytes = _STRANGER_READ_BYTES
        self._messages_left: int | None = _STRANGER_MESSAGES
        self.idle: Callable[[], None] = lambda: None

    def trust(self) -> None:
        self._longest = _PACKET_BYTES
        self._read_bytes = _READ_BYTES
        self._messages_left = None

    def close(self) -> None:
        """Close the socket, and wake the thread that is waiting for a packet."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        super().close()

    def start_handshake(self, timeout: float) -> None:
        """Start no timer: ``Startups`` ends late logins, and paramiko's timer is a thread."""

    def read_message(self) -> tuple[int, Message]:
        if self._messages_left is not None:
            if self._messages_left == 0:
                raise SSHException("too many messages before the login")
            self._messages_left -= 1
        return super().read_message()

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        if n > self._longest:
            raise SSHException(f"a packet of about {n} bytes is too long")
        out = self._take(n)
        while len(out) < n:
            self._receive(may_rekey=check_rekey and not out)
            out += self._take(n - len(out))
        return out

    def readline(self, timeout: float) -> str:
        """Read the banner: one line that starts with SSH-, all of it within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._ahead:
            self._check_banner(deadline)
            self._receive(may_rekey=False, deadline=deadline)
        line = self._take(self._ahead.index(b"\n") + 1)
        if len(line) > _BANNER_BYTES or not line.startswith(b"SSH-"):
            raise SSHException("this is not an SSH client")
        return line[:-1].removesuffix(b"\r").decode("ascii")

    def _check_banner(self, deadline: float) -> None:
        if time.monotonic() >= deadline:
            raise SSHException("the client did not say who it is")
        if len(self._ahead) >= _BANNER_BYTES or not b"SSH-".startswith(self._ahead[:4]):
            raise SSHException("this is not an SSH client")

    def _take(self, count: int) -> bytes:
        if count <= 0:
            return b""
        data = self._ahead[self._taken : self._taken + count]
        self._taken += len(data)
        return data

    def _receive(self, *, may_rekey: bool, deadline: float | None = None) -> None:
        """Get more bytes; those of the banner, which has a ``deadline``, are kept together."""
        while True:
            self._acknowledge()
            try:
                data = self._socket.recv(self._read_bytes)
            except (TimeoutError, BlockingIOError):
                self._idle(may_rekey=may_rekey)
                if deadline is not None and time.monotonic() >= deadline:
                    return
                continue
            except OSError as error:
                if self.closed:
                    raise EOFError from error
                raise
            break
        if not data:
            raise EOFError
        self._ahead = self._ahead[self._taken :] + data
        self._taken = 0

    def _acknowledge(self) -> None:
        """Now, and what comes next too, see tcp(7).

        OpenSSH sends its second small packet in a row only when the first one is acknowledged, and
        Linux likes to wait 40 ms with that for an answer to send along.
        """
        with suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _idle(self, *, may_rekey: bool) -> None:
        if self.closed:
            raise EOFError
        if may_rekey and self.need_rekey():
            raise NeedRekeyException
        self.idle()
