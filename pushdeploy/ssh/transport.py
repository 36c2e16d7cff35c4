"""The transport is paramiko's, with only those parts that a server of ours needs.

The stubs do not know the protected hooks that are overridden here, hence the ignored types.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from paramiko.channel import Channel
from paramiko.common import (
    MSG_CHANNEL_OPEN,
    MSG_CHANNEL_REQUEST,
    MSG_GLOBAL_REQUEST,
    MSG_KEXINIT,
    MSG_NEWKEYS,
    cMSG_CHANNEL_FAILURE,
    cMSG_CHANNEL_SUCCESS,
    cMSG_IGNORE,
)
from paramiko.kex_curve25519 import KexCurve25519
from paramiko.message import Message
from paramiko.pkey import PKey
from paramiko.ssh_exception import SSHException
from paramiko.transport import Transport

from pushdeploy.domain.errors import UserError
from pushdeploy.ssh.auth import SignedKeyAuth
from pushdeploy.ssh.connection import ClientConnection
from pushdeploy.ssh.packetizer import LimitedPacketizer

_AEAD = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
_COUNTER_MODE = ("aes128-ctr", "aes192-ctr", "aes256-ctr")
_MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
_KEX = {
    **Transport._kex_info,  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other list
    "curve25519-sha256": KexCurve25519,
}
_KEX_ORDER = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
)
_HANDLED = (MSG_KEXINIT, MSG_NEWKEYS, MSG_GLOBAL_REQUEST, MSG_CHANNEL_OPEN)
"""Of the rest, EXT_INFO would make paramiko count to 2³² for a stranger who asks it to."""

_BANNER_SECONDS = 10
_POLL_SECONDS = 2.0
"""Twelve times cheaper for idle connections than paramiko's 0.1."""

_PULSE_SECONDS = 1.0
_MOST_HELD = 1000
_ENDED_CHANNELS = 10_000
_FIRST_OF_CONNECTION = 80
"""Messages from this number on are not part of keys and login (RFC 4250 §4.1.2)."""


def allowed_ciphers(choice: str) -> Sequence[str]:
    """Return the ciphers of ``aead``, or of ``all`` for clients that know no AES-GCM."""
    ciphers = {"aead": _AEAD, "all": _AEAD + _COUNTER_MODE}.get(choice)
    if ciphers is None:
        raise UserError(f"{choice!r} is not a choice of ciphers", "use aead or all")
    return ciphers


class HardTransport(Transport):
    """A transport is one thread, which reads everything that one client sends.

    Names what is allowed instead of what is not, so that nothing a later paramiko adds comes in.
    Group 16 is left out for its 170 ms of our CPU before any login; ciphers without authentication
    because OpenSSH would prefer them to AES-GCM, which is twice as fast here.
    """

    _active_check_timeout = _POLL_SECONDS
    _CLIENT_ID = "pushdeploy"
    _kex_info = _KEX
    _preferred_kex = tuple(name for name in _KEX_ORDER if name in _KEX)
    _preferred_macs = _MACS

    packetizer: LimitedPacketizer
    _handler_table: Mapping[int, Callable[[Message], None]]
    _channel_handler_table: Mapping[int, Callable[[Channel, Message], None]]

    def __init__(
        self,
        sock: socket.socket,
        host_key: PKey,
        ciphers: Sequence[str],
        connection: ClientConnection,
    ) -> None:
        self._preferred_ciphers = tuple(ciphers)
        super().__init__(sock, packetizer_class=LimitedPacketizer)
        self._connection = connection
        self._held: list[Message] = []
        self.banner_timeout = _BANNER_SECONDS
        self.packetizer.idle = self._pulse
        self.set_log_channel("pushdeploy.ssh.protocol")
        self.add_server_key(host_key)
        self._handler_table = {kind: self._handler_table[kind] for kind in _HANDLED}
        self._channel_handler_table = {
            **self._channel_handler_table,
            MSG_CHANNEL_REQUEST: self._answer_request,
        }

    def serve(self) -> None:
        """Begin, on a thread of its own."""
        self.start_server(event=threading.Event(), server=self._connection)

    def hang_up(self) -> None:
        """Shut the socket from any thread, without waiting: the transport sees an end of file."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._connection.ended()

    # --------------------------------------------------------------- keys and login

    def _negotiate_keys(self, message: Message) -> None:
        """New keys cost CPU: a stranger gets one set."""
        if self.initial_kex_done and not self.is_authenticated():
            raise SSHException("new keys were asked for before the login")
        super()._negotiate_keys(message)  # type: ignore[misc]

    def _parse_newkeys(self, message: Message) -> None:
        """Login messages are handled from the first keys on, and not before."""
        super()._parse_newkeys(message)  # type: ignore[misc]
        if not isinstance(self.auth_handler, SignedKeyAuth):
            self.auth_handler = SignedKeyAuth(
                self, self._connection.owner, self._connection.recognised
            )

    def _auth_trigger(self) -> None:
        super()._auth_trigger()  # type: ignore[misc]
        self.packetizer.trust()
        self._connection.logged_in()

    # --------------------------------------------------------------- channels

    def _queue_incoming_channel(self, channel: Channel) -> None:
        """Paramiko would keep it for an ``accept`` that never comes."""
        self._connection.opened(channel)
        self.sock.settimeout(_PULSE_SECONDS)
        while len(self.channels_seen) > _ENDED_CHANNELS:
            del self.channels_seen[next(iter(self.channels_seen))]

    def _unlink_channel(self, channel_id: int) -> None:
        """The client has closed it, or the connection has ended."""
        super()._unlink_channel(channel_id)  # type: ignore[misc]
        self._connection.closed(channel_id)

    def _answer_request(self, channel: Channel, message: Message) -> None:
        start = message.packet.tell()
        if message.get_text() == "signal":
            self._answer_signal(channel, message)
            return
        message.packet.seek(start)
        channel._handle_request(message)  # type: ignore[attr-defined]  # noqa: SLF001
        self._connection.answered(channel)

    def _answer_signal(self, channel: Channel, message: Message) -> None:
        """RFC 4254 §6.9, which paramiko does not know."""
        wants_reply = message.get_boolean()
        known = self._connection.signalled(channel, message.get_text())
        if wants_reply:
            reply = Message()
            reply.add_byte(cMSG_CHANNEL_SUCCESS if known else cMSG_CHANNEL_FAILURE)
            reply.add_int(channel.remote_chanid)
            self._send_user_message(reply)

    # --------------------------------------------------------------- sending

    def _send_user_message(self, message: Message) -> None:
        """Paramiko waits here while keys are renewed: for a message that only this thread reads."""
        if threading.current_thread() is self:
            self._send_message(message)
        else:
            super()._send_user_message(message)  # type: ignore[misc]

    def _send_message(self, message: Message) -> None:
        """Answers are held back while keys are renewed (RFC 4253 §7.1)."""
        if (
            threading.current_thread() is self
            and self.initial_kex_done
            and not self.clear_to_send.is_set()
            and message.asbytes()[0] >= _FIRST_OF_CONNECTION
        ):
            if len(self._held) >= _MOST_HELD:
                raise SSHException("too many requests while keys were renewed")
            self._held.append(message)
            return
        super()._send_message(message)  # type: ignore[misc]

    def _activate_inbound(self) -> None:
        """Both sides have new keys; others may send as soon as this returns."""
        super()._activate_inbound()  # type: ignore[misc]
        held, self._held = self._held, []
        for message in held:
            self.packetizer.send_message(message)

    def _pulse(self) -> None:
        """Something harmless for a silent client that has sessions open.

        An OpenSSH master whose client was killed tells us so only when it is woken; and a dead
        network is found by what is sent into it.
        """
        if self._connection.busy and self.clear_to_send.is_set():
            ignored = Message()
            ignored.add_byte(cMSG_IGNORE)
            ignored.add_string(b"")
            self._send_message(ignored)
        elif self.is_authenticated() and not self._connection.busy:
            self.sock.settimeout(_POLL_SECONDS)

    # --------------------------------------------------------------- what paramiko says

    def _log(self, level: int, message: object, *args: object) -> None:
        """What it calls errors is what port scanners do all day."""
        del level
        if self.logger.isEnabledFor(logging.DEBUG):
            super()._log(logging.DEBUG, message, *args)  # type: ignore[misc]
