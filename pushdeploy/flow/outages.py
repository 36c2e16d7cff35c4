"""Outages: since when no process of an app takes requests, for those that wait meanwhile."""

import threading
import time

from pushdeploy.domain.names import AppName


class Outages:
    """An outage of an app lasts from ``bearable`` until ``over``; the list is thread-safe.

    An app is in one from ``bearable`` until ``over``.
    """

    def __init__(self, bearable_seconds: float) -> None:
        """Requests wait for no longer than that, and are told so at once afterwards."""
        self._bearable_seconds = bearable_seconds
        self._lock = threading.Lock()
        self._since: dict[AppName, float] = {}

    def bearable(self, app: AppName) -> bool:
        """Note that it is in one: whether its requests are still to wait for its end."""
        now = time.monotonic()
        with self._lock:
            return now - self._since.setdefault(app, now) < self._bearable_seconds

    def over(self, app: AppName) -> None:
        with self._lock:
            self._since.pop(app, None)
