"""Tasks are made ready behind a gate while the release command runs, and then begin."""

import threading
from collections.abc import Sequence


class OneTimeGate:
    """A gate is opened or shut once. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._decision: bool | None = None
        self._ready = 0
        self._containers: list[str] = []

    def open(self) -> None:
        """Let the tasks begin."""
        self._decide(True)

    def shut(self) -> None:
        """Keep the tasks from beginning; nothing happens when it is open already."""
        self._decide(False)

    @property
    def containers(self) -> Sequence[str]:
        """List the containers in which tasks wait; a task that is to be created later has none."""
        with self._changed:
            return tuple(self._containers)

    def wait(self, container: str = "") -> bool:
        """Let a task that is ready wait until it may begin.

        Block until it is decided: whether it opened.

        ``container`` is where it waits, if there is one already.
        """
        with self._changed:
            self._ready += 1
            self._containers += [container] if container else []
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._decision is not None)
            return bool(self._decision)

    def await_ready(self, count: int, timeout_seconds: float) -> bool:
        """Block until ``count`` tasks are ready, or it is decided: whether they are."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ready >= count or self._decision is not None, timeout_seconds
            )
            return self._ready >= count

    def _decide(self, decision: bool) -> None:
        with self._changed:
            if self._decision is None:
                self._decision = decision
            self._changed.notify_all()
