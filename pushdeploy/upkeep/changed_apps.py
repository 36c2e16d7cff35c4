"""The apps of which something has changed by itself, and who looks after them."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName

_log = logging.getLogger(__name__)
_SOONEST_SECONDS = 0.1
_PART = 4
"""After trouble of a minute an app is looked at again a quarter of a minute later, and so on."""


class Condition(Enum):
    """An app was found in this state; the value is the longest pause in seconds until the next
    look.
    """

    SETTLED = 0
    COMING = 30
    """Something of it is being started by the engine, and does not listen yet."""
    FAILED = 600


class ChangedApps:
    """Apps that changed: each has one worker at a time, and a last turn if it changed meanwhile.

    One that is not settled then has another turn soon, and later and later while that lasts.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        one: Callable[[AppName], Condition],
        everything: Callable[[], Mapping[AppName, Condition]],
    ) -> None:
        self._pool = pool
        self._one = one
        self._everything = everything
        self._lock = threading.Lock()
        self._closed = False
        self._waiting: set[AppName | None] = set()
        self._working: set[AppName | None] = set()
        self._troubled_since: dict[AppName | None, float] = {}
        self._timers: dict[AppName | None, threading.Timer] = {}

    def mark(self, name: AppName | None) -> None:
        with self._lock:
            if self._closed:
                return
            self._waiting.add(name)
            if name in self._working:
                return
            self._working.add(name)
            self._pool.submit(self._work, name)

    def close(self) -> None:
        """Begin nothing any more."""
        with self._lock:
            self._closed = True
            for timer in self._timers.values():
                timer.cancel()

    def _work(self, name: AppName | None) -> None:
        while True:
            with self._lock:
                if name not in self._waiting:
                    self._working.remove(name)
                    return
                self._waiting.remove(name)
            for each, found in self._looked_at(name).items():
                self._look_again(each, found)

    def _looked_at(self, name: AppName | None) -> Mapping[AppName | None, Condition]:
        """A look that fails is one at trouble, also the look at everything: Docker may be gone."""
        try:
            if name is not None:
                return {name: self._one(name)}
            return dict(self._everything()) | {None: Condition.SETTLED}
        except PushdeployError as error:
            _log.warning("app=%s cannot be looked after: %s", name or "all", error.message)
        except Exception:  # noqa: BLE001 - what changes later is to be looked at all the same
            _log.exception("app=%s cannot be looked after", name or "all")
        return {name: Condition.FAILED}

    def _look_again(self, name: AppName | None, found: Condition) -> None:
        with self._lock:
            former = self._timers.pop(name, None)
            if former is not None:
                former.cancel()
            if found is Condition.SETTLED:
                self._troubled_since.pop(name, None)
                return
            if self._closed:
                return
            now = time.monotonic()
            lasts = now - self._troubled_since.setdefault(name, now)
            pause = min(max(_SOONEST_SECONDS, lasts / _PART), found.value)
            timer = threading.Timer(pause, self.mark, [name])
            timer.daemon = True
            self._timers[name] = timer
            timer.start()
