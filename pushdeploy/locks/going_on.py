"""Work beside an app's lock is noted while it goes on, so that others can end it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName


class GoingOn:
    """This list holds the work on an app beside its lock that others may end. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._noted: list[tuple[AppName, Cancellation]] = []

    @contextmanager
    def noted(self, app: AppName, cancellation: Cancellation) -> Iterator[None]:
        entry = (app, cancellation)
        with self._changed:
            self._noted.append(entry)
        try:
            yield
        finally:
            with self._changed:
                self._noted.remove(entry)
                self._changed.notify_all()

    def cancel(
        self, reason: str, app: AppName | None = None, timeout_seconds: float | None = None
    ) -> None:
        """Cancel the work of ``app``, or of all apps.

        Returns when they have ended, or at the time-out.
        """
        with self._changed:
            meant = [each for each in self._noted if app in {None, each[0]}]
        for _, cancellation in meant:
            cancellation.cancel(reason)
        with self._changed:
            self._changed.wait_for(
                lambda: not any(each in self._noted for each in meant), timeout_seconds
            )
