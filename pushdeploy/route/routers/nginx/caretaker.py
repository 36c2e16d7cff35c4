"""The caretaker starts nginx again when it has ended by itself while nothing is deployed."""

import logging
import os
import select
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.route.deadline import until

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 60
_PAUSES_SECONDS = (1, 2, 5, 10, 30, 60)
"""Between attempts to start an nginx that does not want to."""

_DEATHS_KEPT = 100


class Caretaker:
    """``ensure`` makes nginx run with files as they should be, whatever state it is in."""

    def __init__(self, pid: Callable[[], int | None], ensure: Callable[[], None], deaths: Path):
        self._pid = pid
        self._ensure = ensure
        self._deaths = deaths

    def run(self, over: Callable[[], bool]) -> None:
        """Until ``over``, at the latest a minute after it."""
        failures = 0
        while not over():
            pid = self._pid()
            died = pid is None or _ends_within(pid, _LOOK_SECONDS)
            if over():
                return
            if died and not failures:
                self._note_death()
            failures = 0 if self._ensured() else failures + 1
            if failures:
                pause = _PAUSES_SECONDS[min(failures, len(_PAUSES_SECONDS)) - 1]
                until(over, pause, pause_seconds=0.1)

    def _ensured(self) -> bool:
        try:
            self._ensure()
        except PushdeployError as error:
            _log.error("%s; %s", error.message, error.hint)
            return False
        except Exception:  # noqa: BLE001 - a loop that must outlive one bad moment
            _log.exception("nginx cannot be looked after")
            return False
        return True

    def _note_death(self) -> None:
        _log.error("nginx has ended by itself: it is started again")
        with suppress(OSError):
            moments = [*_lines(self._deaths), datetime.now(UTC).isoformat(timespec="seconds")]
            self._deaths.write_text("".join(f"{each}\n" for each in moments[-_DEATHS_KEPT:]))


def deaths_in(path: Path) -> Sequence[datetime]:
    """List the moments when nginx ended by itself, the last one last."""
    found = []
    for line in _lines(path):
        with suppress(ValueError):
            found.append(datetime.fromisoformat(line))
    return found


def _lines(path: Path) -> Sequence[str]:
    try:
        return path.read_text(errors="replace").split()
    except OSError:
        return []


def _ends_within(pid: int, seconds: float) -> bool:
    """Tell whether a process ends; told by the kernel (pidfd_open(2)), at once."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        asked = select.poll()
        asked.register(descriptor, select.POLLIN)
        return bool(asked.poll(seconds * 1000))
    finally:
        os.close(descriptor)
