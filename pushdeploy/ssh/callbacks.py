"""What a transport's thread hears for a session and must not do itself, done in order."""

import logging
import threading
from collections import deque
from collections.abc import Callable

_log = logging.getLogger(__name__)


class CallbackQueue:
    """Runs what is posted, one after the other, on a thread that lives while there is any."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: deque[Callable[[], object]] = deque()
        self._running = False
        self._lock = threading.Lock()

    def post(self, callback: Callable[[], object]) -> None:
        """Never blocks."""
        with self._lock:
            self._waiting.append(callback)
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while (callback := self._next()) is not None:
            try:
                callback()
            except Exception:  # noqa: BLE001 - the later ones must still be run
                _log.exception("a callback of an ssh session failed")

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            self._running = bool(self._waiting)
            return self._waiting.popleft() if self._waiting else None
