"""Names get and keep their automatic certificates: each is tried for by itself, when it is due."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pushdeploy.certificates.automatic.issuing import Issued, Issuing
from pushdeploy.certificates.automatic.orders import ASK_AGAIN, Suggestion
from pushdeploy.certificates.automatic.refusals import CaRefused
from pushdeploy.certificates.wishes import Wishes
from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.automatic import is_wild
from pushdeploy.domain.certificate import Certificate
from pushdeploy.domain.errors import Cancelled, PushdeployError
from pushdeploy.domain.names import HostName
from pushdeploy.store import Store

_log = logging.getLogger(__name__)
_AT_ONCE = 4
"""So many names by HTTP, and as many by DNS, whose script may take its time."""

_LOOK_SECONDS = 60.0
_LEFT_OVER = timedelta(hours=1)
_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """A job is to get a certificate for a name, or only to ask the CA when to renew its present
    one."""

    name: HostName
    asks_only: bool = False


class AutomaticCertificates:
    """``keep`` is given what came of an order and shows it to visitors. One name that fails, or
    whose CA or script takes long, holds up no other."""

    def __init__(
        self,
        store: Store,
        wishes: Wishes,
        issuing: Issuing,
        keep: Callable[[HostName, Issued], None],
    ) -> None:
        self._store = store
        self._wishes = wishes
        self._issuing = issuing
        self._keep = keep
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._at_work: set[HostName] = set()
        self._left_since: dict[int, datetime] = {}

    def wake(self) -> None:
        """Look now at what has changed; returns at once."""
        self._woken.set()

    def watch(self, stopping: threading.Event) -> None:
        """Try what is due, whenever it is, until ``stopping``."""
        while not stopping.is_set():
            self._woken.clear()
            pause = self.turn(stopping)
            over = time.monotonic() + pause
            while time.monotonic() < over and not stopping.is_set():
                if self._woken.wait(min(_STOP_SECONDS, max(over - time.monotonic(), 0))):
                    break

    def turn(self, stopping: threading.Event) -> float:
        """Begin what is due now; the seconds until something else may be."""
        now, wanted = datetime.now(UTC), self._wishes.wanted()
        attempts, present = self._store.attempts.all(), self._wishes.present()
        self._forget([name for name in attempts if name not in wanted])
        self.remove_left_over(now)
        moments: list[datetime] = []
        for name in wanted:
            attempt = attempts.get(name, Attempt(name))
            job, due = next_job(attempt, present.get(name), self._issuing.authority.directory)
            if due is not None and due > now:
                moments.append(due)
            else:
                self._begin(job, stopping)
        soonest = min(moments, default=None)
        if soonest is None:
            return _LOOK_SECONDS
        return min(max((soonest - now).total_seconds(), 0.1), _LOOK_SECONDS)

    def _begin(self, job: Job, stopping: threading.Event) -> None:
        """Unless enough are at work already: whoever ends wakes the next turn."""
        with self._lock:
            alike = [name for name in self._at_work if is_wild(name) == is_wild(job.name)]
            if job.name in self._at_work or len(alike) >= _AT_ONCE:
                return
            self._at_work.add(job.name)
        threading.Thread(
            target=self._work, args=[job, stopping], name=f"certificate {job.name}", daemon=True
        ).start()

    def _work(self, job: Job, stopping: threading.Event) -> None:
        """What could not be written down, as where the home is full, waits for the next look."""
        wakes = False
        try:
            if self._is_due(job):
                self._do(job, stopping)
        except Exception:  # noqa: BLE001 - other names go on, and this one at another time
            _log.exception("host=%s has no new certificate", job.name)
        else:
            wakes = True
        finally:
            with self._lock:
                self._at_work.discard(job.name)
            if wakes:
                self.wake()

    def _do(self, job: Job, stopping: threading.Event) -> None:
        if job.asks_only:
            self._ask(job.name)
        else:
            self._try(job.name, stopping)

    def _is_due(self, job: Job) -> bool:
        """Tell whether it still is: the name's former job may have ended after the turn had looked,
        and before it began this one."""
        attempt, present = self._store.attempts.get(job.name), self._wishes.present()
        directory = self._issuing.authority.directory
        found, due = next_job(attempt, present.get(job.name), directory)
        return found == job and (due is None or due <= datetime.now(UTC))

    def _ask(self, name: HostName) -> None:
        """A CA that does not say when to renew is asked another time, and not waited for."""
        pem, attempt = self._wishes.present_pem(name), self._store.attempts.get(name)
        if pem is None:
            return
        asked = Suggestion(attempt.renew_at, datetime.now(UTC) + ASK_AGAIN)
        try:
            asked = self._issuing.suggestion(pem.chain)
        except PushdeployError as error:
            _log.info("host=%s %s", name, error.message)
        self._store.attempts.save(attempt.suggested(asked.renew_at, asked.ask_at))

    def _try(self, name: HostName, stopping: threading.Event) -> None:
        attempts, pem = self._store.attempts, self._wishes.present_pem(name)
        attempt = attempts.get(name).at(self._issuing.authority.directory)
        attempts.save(attempt)
        try:
            issued = self._issuing.obtain(
                attempt, pem.chain if pem else "", attempts.save, stopping
            )
            self._keep(name, issued)
        except Cancelled:
            return
        except PushdeployError as error:
            self._note(name, error)
        except Exception as error:
            self._note(name, PushdeployError(f"{type(error).__name__}: the log says more"))
            raise
        else:
            now = datetime.now(UTC)
            attempts.save(attempts.get(name).done(now).suggested(None, now + ASK_AGAIN))
            _log.info("host=%s has a new certificate", name)

    def _note(self, name: HostName, error: PushdeployError) -> None:
        """Write the failure down with what the CA has already, where that is still good."""
        attempt, now = self._store.attempts.get(name), datetime.now(UTC)
        patience = None
        if isinstance(error, CaRefused):
            patience = error.retry_at
            attempt = attempt if error.order_is_good else attempt.without_order()
        attempt = attempt.failed(error.message, error.hint, now, patience)
        self._store.attempts.save(attempt)
        _log.warning(
            "host=%s has no new certificate: %s; next try at %s",
            name,
            error.message,
            attempt.next_at,
        )

    def remove_left_over(self, now: datetime) -> None:
        """Remove, with their keys, those whose hosts have been gone for an hour: a rename that
        fails gives its host back."""
        since = self._left_since
        left = {each.id: since.get(each.id, now) for each in self._wishes.left_over()}
        over = [number for number, moment in left.items() if now - moment >= _LEFT_OVER]
        self._left_since = left
        if over:
            self._store.certificates.remove(*over)

    def _forget(self, names: Sequence[HostName]) -> None:
        for name in names:
            if name not in self._at_work:
                self._store.attempts.remove(name)


def next_job(
    attempt: Attempt, present: Certificate | None, directory: str
) -> tuple[Job, datetime | None]:
    """Choose what is to be done next for a name that has ``present``, and when; None is now."""
    validity = (present.not_before, present.not_after) if present else None
    due = attempt.due_at(validity, directory)
    if present is None or attempt.is_under_way or due is None:
        return Job(attempt.name), due
    ask_at = attempt.ask_at or present.not_before
    if ask_at < due:
        return Job(attempt.name, asks_only=True), ask_at
    return Job(attempt.name), due
