"""The clock starts, spreads and stops the chores: each has a thread of its own, so that one that
hangs or fails hurts no other."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pushdeploy.upkeep.chores
from pushdeploy.discover import discover
from pushdeploy.domain.chore_run import ChoreRun, Outcome
from pushdeploy.domain.errors import Busy, PushdeployError
from pushdeploy.domain.timing import Timing, pause_seconds
from pushdeploy.upkeep.chore import Chore
from pushdeploy.upkeep.parts import Upkeep

_log = logging.getLogger(__name__)


def found_chores() -> Sequence[Chore]:
    """The chores of all files of the package; ``PushdeployError`` for a file without one."""
    found = discover(pushdeploy.upkeep.chores, "CHORE").values()
    return [chore for chore in found if isinstance(chore, Chore)]


class Clock:
    """Gives each chore its turns, from ``start`` to ``stop``."""

    def __init__(self, upkeep: Upkeep, chores: Sequence[Chore]) -> None:
        self._upkeep = upkeep
        self._chores = [(each, each.when(upkeep.settings)) for each in chores]
        self._stopping = threading.Event()

    def start(self) -> None:
        """Returns at once."""
        shares = _shares([timing for _, timing in self._chores])
        self._upkeep.runs.note(*(_unbegun(*each) for each in self._chores))
        for (chore, timing), share in zip(self._chores, shares, strict=True):
            pause = timing.first_seconds(datetime.now(UTC), share)
            threading.Thread(
                target=self._keep, args=[chore, timing, pause], name=chore.name, daemon=True
            ).start()

    def stop(self) -> None:
        """Begin no turn any more, and tell those that last to end; nobody waits for them."""
        self._stopping.set()

    def _keep(self, chore: Chore, timing: Timing, first_seconds: float) -> None:
        pause: float | None = first_seconds
        undone = 0
        while pause is not None and not self._stopping.wait(pause):
            run = self._turn(chore, timing)
            self._upkeep.runs.note(run)
            undone = 0 if run.outcome == "ok" else undone + 1
            pause = pause_seconds(timing, datetime.now(UTC), undone)

    def _turn(self, chore: Chore, timing: Timing) -> ChoreRun:
        began = time.monotonic()
        run = replace(_unbegun(chore, timing), began=datetime.now(UTC), outcome="running")
        self._upkeep.runs.note(run)
        outcome, trouble = self._outcome(chore)
        seconds = round(time.monotonic() - began, 3)
        return replace(run, outcome=outcome, seconds=seconds, trouble=trouble)

    def _outcome(self, chore: Chore) -> tuple[Outcome, str]:
        """How a turn ended, and why not well."""
        try:
            trouble = chore.run(self._upkeep, self._stopping) or ""
        except Busy as error:
            _log.info("%s: later: %s", chore.name, error.message)
            return "later", error.message
        except PushdeployError as error:
            _log.warning("%s: not looked after: %s", chore.name, error.message)
            return "failed", error.message
        except Exception as error:  # noqa: BLE001 - a loop that must outlive one bad turn
            _log.exception("%s: not looked after", chore.name)
            return "failed", f"{type(error).__name__}: the log of the server says more"
        return ("failed" if trouble else "ok"), trouble


def _unbegun(chore: Chore, timing: Timing) -> ChoreRun:
    return ChoreRun(chore.name, str(timing), timing.lasts)


def _shares(timings: Sequence[Timing]) -> Sequence[float]:
    """Spread chores of the same timing evenly over it: of four, a quarter, a half, … of it."""
    alike: Mapping[str, list[int]] = {str(timing): [] for timing in timings}
    for place, timing in enumerate(timings):
        alike[str(timing)].append(place)
    return [
        (alike[str(timing)].index(place) + 1) / len(alike[str(timing)])
        for place, timing in enumerate(timings)
    ]
