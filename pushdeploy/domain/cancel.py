"""Cancelling a deploy: possible until it is committed, then never again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pushdeploy.domain.errors import Cancelled


class Cancellation:
    """A cancellation is one deploy's stop button. Thread-safe.

    ``cancel`` runs the stoppers of whatever is going on (kill a container, close a stream);
    ``check`` raises between steps; after ``commit`` cancelling does nothing. ``may_commit`` is
    asked before the point of no return, and raises where there must be none: for a person who may
    not do this any more.
    """

    def __init__(self, may_commit: Callable[[], None] = lambda: None) -> None:
        self._may_commit = may_commit
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._committed = False
        self._stoppers: list[Callable[[], object]] = []

    @property
    def cancelled(self) -> bool:
        return self._reason is not None

    def cancel(self, reason: str) -> bool:
        """Stop the deploy, or return False when it is too late.

        Stoppers run on the calling thread, once.
        """
        with self._lock:
            if self._committed:
                return False
            if self._reason is not None:
                return True
            self._reason = reason
            stoppers = list(self._stoppers)
        for stop in stoppers:
            stop()
        return True

    def check(self) -> None:
        """Raise ``Cancelled`` when somebody asked to stop."""
        if self._reason is not None:
            raise Cancelled(f"cancelled: {self._reason}", "nothing was changed")

    def commit(self) -> None:
        """Pass the point of no return, or raise ``Cancelled`` when the stop came first."""
        if not self._committed:
            self._may_commit()
        with self._lock:
            if self._reason is None:
                self._committed = True
        self.check()

    @contextmanager
    def branch(self) -> Iterator["Cancellation"]:
        """Give one of several deploys behind this button a point of no return of its own.

        ``Cancelled`` when the stop came first.
        """
        own = Cancellation(self._may_commit)
        with self.stopping(lambda: own.cancel(self._reason or "")):
            yield own

    @contextmanager
    def stopping(self, stop: Callable[[], object]) -> Iterator[None]:
        """Let ``cancel`` call ``stop`` while the context lasts.

        ``stop`` must not raise and may run at once.
        """
        with self._lock:
            pending = self._reason is not None
            if not pending:
                self._stoppers.append(stop)
        if pending:
            self.check()
        try:
            yield
        finally:
            with self._lock:
                self._stoppers.remove(stop)
