"""The route and the tasks of an app are changed by one thread at a time, within its lock."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from pushdeploy.domain.names import AppName


class TrafficLocks:
    """A traffic lock says who may touch an app's route and tasks, inside the deploy lock.

    Thread-safe.

    Held for moments; for as long as requests wait where an app's tasks are swapped.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[AppName, threading.RLock] = {}
        self._waiting_since: dict[AppName, datetime] = {}

    @contextmanager
    def hold(self, app: AppName) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(app, threading.RLock())
        with lock:
            yield

    def requests_wait(self, app: AppName) -> None:
        """Note that the app's requests are held from now on, for ``waiting_since``."""
        with self._guard:
            self._waiting_since[app] = datetime.now(UTC)

    def requests_go_on(self, app: AppName) -> None:
        """Note that the app's requests are not held any more."""
        with self._guard:
            self._waiting_since.pop(app, None)

    def waiting_since(self, app: AppName) -> datetime | None:
        """Return the time since when the app's requests are held, or None."""
        with self._guard:
            return self._waiting_since.get(app)
