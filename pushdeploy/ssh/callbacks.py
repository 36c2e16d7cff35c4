"""A transport's thread posts callbacks of a session that it must not run itself."""

import logging
import threading
from collections import deque
from collections.abc import Callable

_log = logging.getLogger(__name__)


class CallbackQueue:
    """A queue runs callbacks in order, on a thread that lives while there are any."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: deque[Callable[[], object]] = deque()
        self._running = False
        self._lock = threading.Lock()

    def post(self, callback: Callable[[], object]) -> None:
        """Add a callback without blocking."""
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
