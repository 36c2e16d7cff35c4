"""One-off commands are listed while they run, so that others see and end them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName


@dataclass(frozen=True, slots=True)
class RunningOneOff:
    """A command runs beside the tasks of an app, with the slug of a release, and can be ended."""

    app: AppName
    name: str
    version: int
    cancellation: Cancellation
    since: datetime = field(default_factory=lambda: datetime.now(UTC))


class OneOffs:
    """This list holds the one-off commands that run, so that others see and end them.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[RunningOneOff] = []

    @contextmanager
    def running(self, one: RunningOneOff) -> Iterator[None]:
        with self._lock:
            self._running.append(one)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(one)

    def of(self, app: AppName) -> Sequence[RunningOneOff]:
        """List the one-off commands of ``app``, the oldest first."""
        with self._lock:
            return [one for one in self._running if one.app == app]

    def cancel(self, app: AppName, name: str, reason: str) -> bool:
        """End the one-off ``name``: False when there is none."""
        return any(one.cancellation.cancel(reason) for one in self.of(app) if one.name == name)
