"""A gate: tasks are made ready behind it while the release command runs, and then begin."""

import threading


class Gate:
    """Opened or shut once. Thread-safe."""

    def __init__(self) -> None:
        self._decided = threading.Event()
        self._open = False

    def open(self) -> None:
        """Let the tasks begin."""
        self._open = True
        self._decided.set()

    def shut(self) -> None:
        """They are never to begin; nothing happens when it is open already."""
        self._decided.set()

    def wait(self) -> bool:
        """Block until it is decided: whether it opened."""
        self._decided.wait()
        return self._open
