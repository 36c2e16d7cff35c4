"""Listens for ssh clients and gives each a transport of its own: start, accept, stop."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from paramiko.pkey import PKey

from pushdeploy.access.audit_log import AuditLog
from pushdeploy.access.logins import Logins
from pushdeploy.commands.session import Session
from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.public_key import Login
from pushdeploy.settings import Address
from pushdeploy.ssh.command_threads import CommandThreads
from pushdeploy.ssh.connection import ClientConnection
from pushdeploy.ssh.keys import load_host_key
from pushdeploy.ssh.revocations import Revocations, WatchedConnection
from pushdeploy.ssh.startups import Startup, Startups
from pushdeploy.ssh.transport import HardTransport, allowed_ciphers

_BACKLOG = 512
_LAST_WORDS_SECONDS = 2.0
_STOP_SECONDS = 20.0
_PAUSE_SECONDS = 0.2
_DEAD_AFTER_MILLISECONDS = 60_000
_KEEPALIVE_IDLE_SECONDS = 15
_KEEPALIVE_EVERY_SECONDS = 5
_KEEPALIVE_TRIES = 3
_log = logging.getLogger(__name__)


class SshServer:
    """``authorized(kind, base64)`` names the owner of a key, None for a stranger: it is asked at
    the login, at every request, and twice a second for those who are logged in.

    ``run_command(command, session)`` and ``run_git(service, path, session)`` return the exit
    status; each call has a thread of its own. ``ciphers`` is "aead" or "all".
    """

    def __init__(
        self,
        address: Address,
        host_key: Path,
        authorized: Callable[[str, str], KeyName | None],
        run_command: Callable[[str, Session], int],
        run_git: Callable[[str, str, Session], int],
        audit_log: AuditLog,
        *,
        ciphers: str = "aead",
        login_grace_seconds: float = 20,
        max_startups: int = 250,
        max_startups_per_host: int = 250,
    ) -> None:
        self._address = address
        self._host_key_path = host_key
        self._authorized = authorized
        self._ciphers = allowed_ciphers(ciphers)
        self._commands = CommandThreads(run_command, run_git, audit_log)
        self._logins = Logins(audit_log)
        self._startups = Startups(login_grace_seconds, max_startups, max_startups_per_host)
        self._revocations = Revocations()
        self._transports: set[HardTransport] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None

    def start(self) -> Address:
        """Listen, and return the address, with the real port where 0 was given.

        ``UserError`` for a host key that cannot be used, ``BackendDown`` for an address.
        """
        host_key = load_host_key(self._host_key_path)
        self._listener = _listen(self._address)
        self._startups.start()
        self._revocations.start()
        self._logins.start()
        self._acceptor = threading.Thread(
            target=self._accept, args=(self._listener, host_key), name="ssh accept", daemon=True
        )
        self._acceptor.start()
        host, port = self._listener.getsockname()[:2]
        return Address(host, port)

    def stop(self) -> None:
        """Accept no more, end the open connections, wait for their commands (20 s at the most).

        A push whose deploy has just ended gets a moment to be told so.
        """
        if self._listener is None or self._acceptor is None or self._stopping.is_set():
            return
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._acceptor.join()
        self._listener.close()
        self._commands.join(_LAST_WORDS_SECONDS)
        self._end_connections()
        self._startups.stop()
        self._revocations.stop()
        self._logins.stop()
        if not self._commands.join(_STOP_SECONDS):
            _log.warning("some ssh commands are still at work; they are left behind")

    def _accept(self, listener: socket.socket, host_key: PKey) -> None:
        while not self._stopping.is_set():
            try:
                sock, peer = listener.accept()
            except OSError as error:
                if not self._stopping.is_set():
                    _log.warning("an ssh connection could not be accepted: %s", error)
                    self._stopping.wait(_PAUSE_SECONDS)  # out of files: some will be closed
                continue
            startup = self._startups.enter(peer[0], partial(_shut_down, sock))
            if startup is None:
                sock.close()
                continue
            self._serve(sock, peer[0], startup, host_key)

    def _serve(self, sock: socket.socket, peer: str, startup: Startup, host_key: PKey) -> None:
        watched: list[WatchedConnection] = []

        def logged_in(login: Login) -> None:
            self._startups.leave(startup)
            watched.append(self._revocations.enter(connection, transport.hang_up))
            self._logins.logged_in(login.by, peer)
            _log.info("ssh login by=%s from=%s", login.by, peer)

        def ended() -> None:
            self._startups.leave(startup)
            if connection.login is None and connection.stranger is not None:
                self._logins.refused(peer, connection.stranger)
            for each in watched:
                self._revocations.leave(each)
            with self._lock:
                self._transports.discard(transport)

        connection = ClientConnection(self._authorized, self._commands.begin, logged_in, ended)
        transport = HardTransport(sock, host_key, self._ciphers, connection)
        with self._lock:
            self._transports.add(transport)
        try:
            _tune(sock)
            transport.serve()
        except (OSError, RuntimeError) as error:  # gone already, or no thread to be had
            _log.warning("an ssh connection could not be served from=%s: %s", peer, error)
            connection.ended()
            sock.close()

    def _end_connections(self) -> None:
        with self._lock:
            transports = list(self._transports)
        for transport in transports:
            transport.hang_up()
        deadline = time.monotonic() + _STOP_SECONDS
        for transport in transports:
            transport.join(max(0.0, deadline - time.monotonic()))


def _listen(address: Address) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            address.host or None,
            address.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
        family, _, _, _, bound = found[0]
        return socket.create_server(
            bound[:2],
            family=family,
            backlog=_BACKLOG,
            dualstack_ipv6=family == socket.AF_INET6 and bound[0] == "::",
        )
    except OSError as error:
        # create_server writes the address into strerror a second time.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise BackendDown(
            f"ssh cannot listen on {address}: {why}",
            "choose another address with PUSHDEPLOY_SSH",
        ) from error


def _tune(sock: socket.socket) -> None:
    """Small packets at once; a client that vanished without a word is found in a minute.

    The same minute ends one whose machine takes no more of what is on its way to it.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_EVERY_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_TRIES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_MILLISECONDS)


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
