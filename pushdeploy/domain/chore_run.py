"""The last turn of a chore: when it began, how long it took, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args

Outcome = Literal["waiting", "running", "ok", "later", "failed"]

HANGING_SECONDS = 3600
"""A turn that takes longer hangs, unless it lasts by its nature."""


@dataclass(frozen=True, slots=True)
class ChoreRun:
    """``trouble`` says why it failed, or what it waits for; ``when`` is for people.

    Nothing has begun while ``waiting``; ``later`` is what a deploy kept from being done.
    """

    chore: str
    when: str
    lasts: bool
    outcome: Outcome = "waiting"
    began: datetime | None = None
    seconds: float | None = None
    trouble: str = ""

    def hangs(self, now: datetime) -> bool:
        if self.outcome != "running" or self.lasts or self.began is None:
            return False
        return (now - self.began).total_seconds() > HANGING_SECONDS

    def facts(self) -> Mapping[str, object]:
        """Give what ``run_of`` reads back from JSON."""
        return {
            "chore": self.chore,
            "when": self.when,
            "lasts": self.lasts,
            "outcome": self.outcome,
            "began": self.began and self.began.isoformat(),
            "seconds": self.seconds,
            "trouble": self.trouble,
        }


def run_of(facts: Mapping[str, object]) -> ChoreRun:
    """``ValueError``, ``KeyError`` or ``TypeError`` for facts that ``ChoreRun`` has not told."""
    outcome, began, seconds = facts["outcome"], facts["began"], facts["seconds"]
    if outcome not in get_args(Outcome) or not isinstance(seconds, float | int | None):
        raise ValueError("no turn of a chore")
    return ChoreRun(
        str(facts["chore"]),
        str(facts["when"]),
        bool(facts["lasts"]),
        cast("Outcome", outcome),
        None if began is None else datetime.fromisoformat(str(began)),
        seconds,
        str(facts["trouble"]),
    )
