"""A client may ask for sessions, each with one command; every other request is refused."""

import threading
from collections.abc import Callable

from paramiko.channel import Channel
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_RESOURCE_SHORTAGE,
    OPEN_SUCCEEDED,
)
from paramiko.pkey import PKey
from paramiko.server import ServerInterface

from pushdeploy.access.gate import no_key_any_more
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.public_key import Login
from pushdeploy.ssh.auth import NobodysKey
from pushdeploy.ssh.session_channel import SessionChannel

MOST_SESSIONS = 64
"""Open at one time on one connection."""


class ClientConnection(ServerInterface):
    """Paramiko calls the methods on the transport's thread; they block only where they say so.

    ``owner`` gives the name of an authorized key, ``begin`` starts a command, ``on_login`` and
    ``on_end`` are told once each. ``stranger`` is the fingerprint of the last key that was refused,
    empty where none was offered, None before anybody has asked to be let in.
    """

    def __init__(
        self,
        owner: Callable[[str, str], KeyName | None],
        begin: Callable[[SessionChannel, str], None],
        on_login: Callable[[Login], None],
        on_end: Callable[[], None],
    ) -> None:
        self.owner = owner
        self._begin = begin
        self._on_login = on_login
        self._on_end = on_end
        self.login: Login | None = None
        self.stranger: str | None = None
        self._revoked = False
        self._sessions: dict[int, SessionChannel] = {}
        self._commands: dict[int, str | None] = {}
        self._lock = threading.Lock()

    # --------------------------------------------------------------- login

    def get_allowed_auths(self, username: str) -> str:
        """Allow any user name: the key says who it is. Asked for by whoever has been refused."""
        del username
        self.stranger = self.stranger or ""
        return "publickey"

    def check_auth_publickey(self, username: str, key: PKey) -> int:
        """Tell whether the key is known; paramiko then checks the signature."""
        del username
        if isinstance(key, NobodysKey):
            self.stranger = key.shown
            return AUTH_FAILED
        return AUTH_SUCCESSFUL

    def recognised(self, login: Login) -> None:
        """Note the key that has just signed the login."""
        self.login = login

    def logged_in(self) -> None:
        if self.login is not None:
            self._on_login(self.login)

    # --------------------------------------------------------------- the key's standing

    def check_key(self) -> None:
        """Raise ``UserError`` when the key was removed since the login, or its name given to
        another one.

        Asks the database; called from any thread but the transport's.
        """
        login = self.login
        if self._revoked or login is None or self.owner(login.kind, login.base64) != login.by:
            raise no_key_any_more(login.by if login is not None else "nobody")

    def revoke(self, reason: str) -> None:
        """Refuse whatever is asked from now on, and cancel what is going on. From any thread."""
        self._revoked = True
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            session.revoke(reason)

    # --------------------------------------------------------------- channels

    @property
    def busy(self) -> bool:
        return bool(self._sessions)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del chanid
        if kind != "session" or self.login is None or self._revoked:
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        if len(self._sessions) >= MOST_SESSIONS:
            return OPEN_FAILED_RESOURCE_SHORTAGE
        return OPEN_SUCCEEDED

    def opened(self, channel: Channel) -> None:
        """Keep the channel until it is closed: paramiko refers to channels weakly only."""
        if self.login is None:
            raise AssertionError("a channel before the login")
        with self._lock:
            self._sessions[channel.get_id()] = SessionChannel(
                channel, self.login.by, self.check_key
            )

    def closed(self, channel_id: int) -> None:
        """Forget a channel that the client, or the end of the connection, has closed.

        Called from any thread.
        """
        with self._lock:
            session = self._sessions.pop(channel_id, None)
            self._commands.pop(channel_id, None)
        if session is not None:
            session.lost()

    def ended(self) -> None:
        """Close all channels: the connection is no more."""
        with self._lock:
            open_channels = list(self._sessions)
        for channel_id in open_channels:
            self.closed(channel_id)
        self._on_end()

    # --------------------------------------------------------------- requests

    def check_channel_shell_request(self, channel: Channel) -> bool:
        return self._ask(channel, "")

    def check_channel_exec_request(self, channel: Channel, command: bytes) -> bool:
        try:
            return self._ask(channel, command.decode())
        except UnicodeDecodeError:
            return False

    def check_channel_pty_request(
        self,
        channel: Channel,
        term: bytes,
        width: int,
        height: int,
        pixelwidth: int,
        pixelheight: int,
        modes: bytes,
    ) -> bool:
        del pixelwidth, pixelheight, modes
        session = self._sessions.get(channel.get_id())
        if session is None or self._revoked or channel.get_id() in self._commands:
            return False
        session.open_terminal(term, width, height)
        return True

    def check_channel_window_change_request(
        self, channel: Channel, width: int, height: int, pixelwidth: int, pixelheight: int
    ) -> bool:
        del pixelwidth, pixelheight
        session = self._sessions.get(channel.get_id())
        if session is not None:
            session.resize(width, height)
        return session is not None

    def check_channel_env_request(self, channel: Channel, name: bytes, value: bytes) -> bool:
        """Accept and ignore it: some clients make a fuss when it is refused."""
        del channel, name, value
        return not self._revoked

    def signalled(self, channel: Channel, name: str) -> bool:
        session = self._sessions.get(channel.get_id())
        if session is not None:
            session.signalled(name)
        return session is not None

    def answered(self, channel: Channel) -> None:
        """Begin the command: the reply to its request has gone out, so it may write."""
        session = self._sessions.get(channel.get_id())
        command = self._commands.get(channel.get_id())
        if session is not None and command is not None:
            self._commands[channel.get_id()] = None
            self._begin(session, command)

    def _ask(self, channel: Channel, command: str) -> bool:
        """One command a session; a second one is refused."""
        if (
            self._revoked
            or channel.get_id() in self._commands
            or channel.get_id() not in self._sessions
        ):
            return False
        self._commands[channel.get_id()] = command
        return True
