"""Writes the audit log: a row before each act, and its end after it."""

import logging
import os
import pwd
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pushdeploy.domain.errors import BUG_STATUS, PushdeployError
from pushdeploy.store.audit import Audit

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Act:
    """``exit_status`` is set by whoever does it; ``trouble`` says why it is not in the log."""

    exit_status: int = BUG_STATUS
    trouble: str = ""
    number: int | None = None
    began: float = field(default_factory=time.monotonic)


class AuditLog:
    """The audit log never keeps anybody from acting: a log that cannot be written is told, and
    nobody is stopped from making room or mending the database.
    """

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    @contextmanager
    def act(self, by: str, command: str, app: str | None = None) -> Iterator[Act]:
        """The row is there when this is entered, and complete when it is left."""
        act = Act()
        self._write(act, by, lambda: self._begin(act, by, command, app))
        try:
            yield act
        except PushdeployError as error:
            act.exit_status = error.exit_status
            raise
        finally:
            self._write(act, by, lambda: self._end(act))

    def past(self, by: str, command: str, exit_status: int, app: str | None = None) -> None:
        """Write an act down that was refused before it began, or is over."""
        act = Act()
        self._write(act, by, lambda: self._audit.record(by, command, exit_status, app))

    def begin_anew(self) -> None:
        """Close, at a start, what an earlier server was still doing when it was killed."""
        self._write(Act(), "the server", self._audit.close_open)

    def _begin(self, act: Act, by: str, command: str, app: str | None) -> None:
        act.number = self._audit.begin(by, command, app)

    def _end(self, act: Act) -> None:
        if act.number is not None:
            self._audit.end(act.number, act.exit_status, time.monotonic() - act.began)

    def _write(self, act: Act, by: str, write: Callable[[], object]) -> None:
        try:
            write()
        except PushdeployError as error:
            act.trouble = error.message
            _log.warning("by=%s not in the audit log: %s", by, error.message)


def local_user() -> str:
    """Name whoever uses the server's own shell: ``(root)``. No key can be called so."""
    try:
        return f"({pwd.getpwuid(os.getuid()).pw_name})"
    except KeyError:
        return f"({os.getuid()})"
