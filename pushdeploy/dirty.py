"""The apps of which something has changed by itself, and who looks after them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from pushdeploy.domain.names import AppName


class Dirty:
    """Apps that changed: each has one worker at a time, and a last turn if it changed meanwhile."""

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        one: Callable[[AppName], None],
        everything: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._one = one
        self._everything = everything
        self._lock = threading.Lock()
        self._waiting: set[AppName | None] = set()
        self._working: set[AppName | None] = set()

    def mark(self, name: AppName | None) -> None:
        with self._lock:
            self._waiting.add(name)
            if name in self._working:
                return
            self._working.add(name)
        self._pool.submit(self._work, name)

    def _work(self, name: AppName | None) -> None:
        while True:
            with self._lock:
                if name not in self._waiting:
                    self._working.remove(name)
                    return
                self._waiting.remove(name)
            if name is None:
                self._everything()
            else:
                self._one(name)
