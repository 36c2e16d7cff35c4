"""A chore: what is to be looked after, when, and how."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pushdeploy.domain.timing import Every, Timing
from pushdeploy.settings import Settings
from pushdeploy.upkeep.parts import Upkeep


@dataclass(frozen=True, slots=True)
class Chore:
    """``run`` has a thread of its own, may take as long as it likes, and may raise.

    It is given an event that is set when the server stops, and returns trouble that it has logged
    already, in words, or nothing. ``Busy`` says that something has to wait for a deploy. After
    either it has another turn soon.
    """

    name: str
    when: Callable[[Settings], Timing]
    run: Callable[[Upkeep, threading.Event], str | None]


def each_round(settings: Settings) -> Timing:
    """Make a chore due as often as the operator wants the server to look after things."""
    return Every(settings.upkeep_seconds)
