"""An app has one deploy at a time: the others queue, say so, and give way to newer pushes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Busy, Overtaken
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose says why a lock is wanted.

    Purposes with the same ``supersedes`` overtake one another.
    """

    what: str
    by: str
    supersedes: str | None = None


@dataclass(slots=True, eq=False)
class _Ticket:
    purpose: Purpose
    cancellation: Cancellation
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    overtaken_by: Purpose | None = None


class AppLocks:
    """Locks go first come, first served, per app, within the one server of a home. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queues: dict[AppName, list[_Ticket]] = {}
        self._closed = ""
        self._all_taken = False

    @contextmanager
    def hold(
        self, app: AppName, purpose: Purpose, output: Output, cancellation: Cancellation
    ) -> Iterator[None]:
        """Wait for the app's lock, saying who holds it.

        ``Overtaken`` when a newer purpose of the same kind queued up meanwhile, ``Cancelled`` when
        the wait was cancelled.
        """
        ticket = _Ticket(purpose, cancellation)
        with cancellation.stopping(self._wake):
            self._queue_up(app, ticket)
            try:
                self._await_turn(app, ticket, output)
            except BaseException:
                self._leave(app, ticket)
                raise
        try:
            yield
        finally:
            self._leave(app, ticket)

    @contextmanager
    def hold_all(self, timeout_seconds: float) -> Iterator[bool]:
        """Wait until nobody holds a lock, and keep it so: whoever comes meanwhile waits silently.

        For moments only. False, and nothing is held, when somebody held one all the time.
        """
        with self._changed:
            taken = self._changed.wait_for(self._all_free, timeout_seconds)
            self._all_taken = self._all_taken or taken
        try:
            yield taken
        finally:
            if taken:
                with self._changed:
                    self._all_taken = False
                    self._changed.notify_all()

    def holder(self, app: AppName) -> tuple[Purpose, datetime] | None:
        """Return the purpose of the app's lock and the time when it was taken."""
        with self._changed:
            queue = self._queues.get(app)
            return (queue[0].purpose, queue[0].since) if queue else None

    def cancel(self, app: AppName, reason: str) -> bool | None:
        """Cancel what holds the lock: None when nothing does, False when it is too late."""
        with self._changed:
            queue = self._queues.get(app)
            holder = queue[0].cancellation if queue else None
        return holder.cancel(reason) if holder else None

    def close(self, reason: str) -> None:
        """Cancel whatever can still be cancelled, holders and waiters alike, and let in no more."""
        with self._changed:
            self._closed = reason
            tickets = [ticket for queue in self._queues.values() for ticket in queue]
        for ticket in tickets:
            ticket.cancellation.cancel(reason)

    def wait_until_free(self, timeout_seconds: float) -> bool:
        """Wait until nobody holds a lock, and tell whether that came within the time."""
        with self._changed:
            return self._changed.wait_for(self._all_free, timeout_seconds)

    def _queue_up(self, app: AppName, ticket: _Ticket) -> None:
        with self._changed:
            if self._closed:
                raise Busy(self._closed, "try again in a minute")
            queue = self._queues.setdefault(app, [])
            for waiting in queue[1:]:
                if ticket.purpose.supersedes and (
                    waiting.purpose.supersedes == ticket.purpose.supersedes
                ):
                    waiting.overtaken_by = ticket.purpose
            queue.append(ticket)
            self._changed.notify_all()

    def _await_turn(self, app: AppName, ticket: _Ticket, output: Output) -> None:
        told: _Ticket | None = None
        while True:
            with self._changed:
                head = self._queues[app][0]
                must_wait = head is told or (head is ticket and self._all_taken)
                if must_wait and not (ticket.overtaken_by or ticket.cancellation.cancelled):
                    self._changed.wait()  # what has happened already wakes nobody any more
                    head = self._queues[app][0]
                overtaken = ticket.overtaken_by
                my_turn = head is ticket and not self._all_taken
                if my_turn and not overtaken:
                    ticket.since = datetime.now(UTC)
            ticket.cancellation.check()
            if overtaken:
                raise Overtaken(
                    f"overtaken: {overtaken.what} by {overtaken.by} arrived while this waited",
                    "nothing was built of this push; the newer one is",
                )
            if my_turn:
                return
            if head not in (ticket, told):
                output.detail(
                    f"waiting: {head.purpose.what} by {head.purpose.by}"
                    f" since {head.since:%H:%M:%S} UTC"
                )
                told = head

    def _leave(self, app: AppName, ticket: _Ticket) -> None:
        with self._changed:
            queue = self._queues[app]
            queue.remove(ticket)
            if not queue:
                del self._queues[app]
            self._changed.notify_all()

    def _all_free(self) -> bool:
        return not self._queues and not self._all_taken

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
