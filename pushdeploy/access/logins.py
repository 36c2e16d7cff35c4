"""Writes logins into the audit log without making anybody who logs in wait for it."""

import threading
import time
from collections import deque

from pushdeploy.access.audit_log import AuditLog

NOBODY = "(nobody)"
"""Stands in the log for whoever was refused. No key can be called so."""

_LOGIN = "login from {}"
_GATHER_SECONDS = 1.0
_REFUSED_SECONDS = 60.0
"""One row in so long tells of all that were refused: a flood must not fill the log."""

_MOST_WAITING = 10_000


class Logins:
    """Takes logins without ever blocking, and writes them within a second."""

    def __init__(self, audit_log: AuditLog) -> None:
        self._audit_log = audit_log
        self._changed = threading.Condition()
        self._logins: deque[tuple[str, str]] = deque(maxlen=_MOST_WAITING)
        self._refused = 0
        self._last_refused = ""
        self._told_at = -_REFUSED_SECONDS
        self._stopped = False
        self._thread = threading.Thread(target=self._write_for_ever, name="logins", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when all is written."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def logged_in(self, by: str, address: str) -> None:
        with self._changed:
            self._logins.append((by, address))
            self._changed.notify_all()

    def refused(self, address: str, fingerprint: str) -> None:
        """``fingerprint`` of the key that was offered last, empty where none was."""
        with self._changed:
            self._refused += 1
            key = f" with {fingerprint}" if fingerprint else ""
            self._last_refused = f"from {address}{key}"
            self._changed.notify_all()

    def _write_for_ever(self) -> None:
        while not self._stopped:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._logins or self._refused)
                self._changed.wait_for(lambda: self._stopped, _GATHER_SECONDS)
            self._write()

    def _write(self) -> None:
        with self._changed:
            logins, refused = list(self._logins), ""
            self._logins.clear()
            due = time.monotonic() - self._told_at >= _REFUSED_SECONDS or self._stopped
            if self._refused and due:
                often = f", {self._refused} times, last" if self._refused > 1 else ""
                refused = f"login refused{often} {self._last_refused}"
                self._refused, self._told_at = 0, time.monotonic()
        for by, address in logins:
            self._audit_log.past(by, _LOGIN.format(address), 0)
        if refused:
            self._audit_log.past(NOBODY, refused, 1)
