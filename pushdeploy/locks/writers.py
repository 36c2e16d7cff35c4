"""An app's disks have one kind of writer at a time: a release alone, or one-off commands."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pushdeploy.domain.errors import Busy
from pushdeploy.domain.names import AppName


class Writers:
    """This list holds the one-off commands that write to an app's disks beside its tasks.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writers: dict[AppName, dict[str, str]] = {}
        self._taken: dict[AppName, str] = {}

    @contextmanager
    def writing(self, app: AppName, name: str, by: str) -> Iterator[None]:
        """Let the one-off ``name`` write. ``Busy`` while a release has the disks for itself."""
        with self._lock:
            if app in self._taken:
                raise Busy(
                    f"{self._taken[app]} has the disks of {app} for itself", "try again in a minute"
                )
            self._writers.setdefault(app, {})[name] = by
        try:
            yield
        finally:
            with self._lock:
                del self._writers[app][name]

    @contextmanager
    def alone(self, app: AppName, what: str) -> Iterator[None]:
        """Let nobody begin to write. ``Busy`` when somebody does already."""
        with self._lock:
            for name, by in self._writers.get(app, {}).items():
                raise Busy(
                    f"{name} of {by} writes to the disks of {app}, and one at a time may",
                    f"wait until it ends, or:  ps:stop {app} {name}",
                )
            self._taken[app] = what
        try:
            yield
        finally:
            with self._lock:
                self._taken.pop(app, None)
