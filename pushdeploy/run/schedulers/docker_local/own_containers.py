"""A scheduler tells what it does itself from what happens to containers by itself."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_NAMES_REMEMBERED = 4096


class OwnContainers:
    """Knows the containers that this server has made, each by its name before it exists."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: set[str] = set()
        self._at_work: set[str] = set()
        self._retired: deque[str] = deque(maxlen=_NAMES_REMEMBERED)

    @contextmanager
    def at_work(self, names: Iterable[str]) -> Iterator[None]:
        """While inside, what happens to them is our own doing."""
        here = set(names)
        with self._lock:
            self._made |= here
            self._at_work |= here
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= here

    def retire(self, name: str) -> None:
        """Ignore the events of the container from now on: they come after the fact."""
        with self._lock:
            self._made.discard(name)
            self._retired.append(name)

    def has(self, name: str) -> bool:
        with self._lock:
            return name in self._made

    def works_on(self, name: str) -> bool:
        with self._lock:
            return name in self._at_work

    def retired(self, name: str) -> bool:
        with self._lock:
            return name in self._retired

    def busy(self, name: str) -> bool:
        with self._lock:
            return name in self._at_work or name in self._retired
