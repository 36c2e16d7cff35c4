"""An app that a push has made is removed again where nobody has got as far as building it."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.push_receiver import PushReceiver
from pushdeploy.receive.repositories import Repositories

_log = logging.getLogger(__name__)


class PushedApps:
    """``PushedApps`` counts the pushes that are going on, for the last one of an app clears up.

    Thread-safe.
    """

    def __init__(self, repositories: Repositories, receiver: PushReceiver) -> None:
        self._repositories = repositories
        self._receiver = receiver
        self._lock = threading.Lock()
        self._pushes: Counter[AppName] = Counter()
        self._made: set[AppName] = set()

    @contextmanager
    def pushing(self, app: AppName) -> Iterator[Sequence[str]]:
        """Make sure that the app and its repository exist inside the context.

        Yields what its pusher is to read of that.

        Raises whatever ``open`` of the receiver raises.
        """
        with self._lock:
            greeting = self._receiver.open(app)
            if self._repositories.ensure(app):
                self._made.add(app)
            self._pushes[app] += 1
        try:
            yield greeting
        finally:
            with self._lock:
                self._pushes[app] -= 1
                if not self._pushes[app]:
                    self._leave(app)

    def settle(self, app: AppName) -> bool:
        """Let the app stay, and tell whether a push has just made it."""
        with self._lock:
            made = app in self._made
            self._made.discard(app)
        return made

    def _leave(self, app: AppName) -> None:
        del self._pushes[app]
        made = app in self._made
        self._made.discard(app)
        if not made or not self._repositories.exists(app) or not self._repositories.is_empty(app):
            return
        # First the repository: once the app is gone, anybody may make one of that name.
        self._repositories.remove(app)
        try:
            self._receiver.abandon(app)
        except PushdeployError as error:
            _log.warning("app=%s cannot be taken away again: %s", app, error.message)
