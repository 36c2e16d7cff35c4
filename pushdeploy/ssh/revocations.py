"""Ends the connections of keys that were removed, by this or by another process."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pushdeploy.domain.errors import UserError
from pushdeploy.ssh.connection import ClientConnection

_LOOK_SECONDS = 0.5
_LAST_WORDS_SECONDS = 2.0
"""For what is cancelled to tell its client so."""

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class WatchedConnection:
    """A watched connection has logged in; ``hang_up`` ends it and must not block."""

    connection: ClientConnection
    hang_up: Callable[[], None]
    revoked_at: float | None = None


class Revocations:
    """``Revocations`` look twice a second at the keys of those who are logged in, if there are any.

    What a removed key has going on is cancelled as if its client had gone: what is past its point
    of no return goes on to its end. Then the connection is closed.
    """

    def __init__(self) -> None:
        self._watched: set[WatchedConnection] = set()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._watch, name="ssh revocations", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def enter(self, connection: ClientConnection, hang_up: Callable[[], None]) -> WatchedConnection:
        """Watch a connection until the result is given to ``leave``."""
        watched = WatchedConnection(connection, hang_up)
        with self._changed:
            self._watched.add(watched)
            self._changed.notify_all()
        return watched

    def leave(self, watched: WatchedConnection) -> None:
        with self._changed:
            self._watched.discard(watched)

    def _watch(self) -> None:
        while not self._stopped:
            for watched in self._next_watched():
                try:
                    self._look_at(watched)
                except Exception:  # noqa: BLE001 - the others must still be looked at
                    _log.exception("a key could not be looked up")

    def _next_watched(self) -> list[WatchedConnection]:
        """Waits until it is time to look again, and for somebody to look at."""
        with self._changed:
            self._changed.wait_for(lambda: self._watched or self._stopped)
            self._changed.wait_for(lambda: self._stopped, _LOOK_SECONDS)
            return list(self._watched)

    def _look_at(self, watched: WatchedConnection) -> None:
        if watched.revoked_at is None:
            try:
                watched.connection.check_key()
            except UserError as error:
                self._revoke(watched, error.message)
        if watched.revoked_at is not None and self._may_be_closed(watched, watched.revoked_at):
            watched.hang_up()

    def _revoke(self, watched: WatchedConnection, reason: str) -> None:
        watched.revoked_at = time.monotonic()
        _log.info("ssh connection ended: %s", reason)
        watched.connection.revoke(reason)

    def _may_be_closed(self, watched: WatchedConnection, revoked_at: float) -> bool:
        return not watched.connection.busy or time.monotonic() - revoked_at > _LAST_WORDS_SECONDS
