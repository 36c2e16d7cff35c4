"""Keeps how each chore went the last time, also for programs beside the server.

In a small file of the home and not in the database: it changes several times a minute, is worth
nothing after a restart, and can be read while the database cannot.
"""

import json
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pushdeploy.domain.chore_run import ChoreRun, run_of

_log = logging.getLogger(__name__)


class ChoreRuns:
    """Keeps the last turn of each chore. Thread-safe; no chore waits for a file that is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._runs: dict[str, ChoreRun] = {}
        self._told = False

    def note(self, *runs: ChoreRun) -> None:
        with self._lock:
            self._runs |= {run.chore: run for run in runs}
            self._write()

    def all(self) -> Sequence[ChoreRun]:
        """Give all turns, by the names of their chores."""
        with self._lock:
            return sorted(self._runs.values(), key=lambda run: run.chore)

    def _write(self) -> None:
        draft = self._path.with_name(f".{self._path.name}")
        try:
            draft.write_text(json.dumps([run.facts() for run in self._runs.values()], indent=1))
            draft.replace(self._path)
            self._told = False
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            if not self._told:
                _log.warning("%s cannot be written: %s", self._path, error.strerror)
            self._told = True


def kept_runs(path: Path) -> Sequence[ChoreRun]:
    """Read what a server wrote, by name; nothing where it cannot be read."""
    try:
        return sorted(map(run_of, json.loads(path.read_text())), key=lambda run: run.chore)
    except (OSError, ValueError, KeyError, TypeError):
        return []
