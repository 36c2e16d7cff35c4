"""The port of a gate behind which tasks are made ready, and at which they wait to begin."""

from typing import Protocol


class StartGate(Protocol):
    """Opened or shut once. See ``pushdeploy.locks.start_gate``."""

    def wait(self, container: str = "") -> bool:
        """Called by a task that is ready. Block until it is decided: whether the gate opened.

        ``container`` is where the task waits, if there is one already.
        """
