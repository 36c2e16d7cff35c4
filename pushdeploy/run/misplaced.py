"""A process may have settled where no request will find it. Pure: what is seen is given.

A debugger or a server of metrics may listen long before the app itself does. So a process is given
up before its time only where nothing else can be meant: it listens on its port for itself alone, or
where servers listen that were told no port, and it neither works nor waits for anybody.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

Socket = tuple[str, int]
"""An address and a port."""

TOLD_SECONDS = 2.0
LOOPBACK_SECONDS = 4.0
ELSEWHERE_SECONDS = 10.0

_IDLE_SHARE = 0.1
"""Of one core: less than that is what a server does that waits for requests."""

_UNTOLD = frozenset({80, 3000, 4000, 4567, 5000, 7860, 8000, 8080, 8081, 8501, 8888, 9292})
"""Where servers of common frameworks listen when nobody says where."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A container shows this from outside.

    ``calls`` tells whether a connection to somebody else is open or being opened;
    ``worked_seconds`` is the processor time of its processes so far.
    """

    places: Sequence[Socket]
    calls: bool = False
    worked_seconds: float = 0.0


class Settling:
    """Follows one task: ``see`` what is there now and then, and ask what follows from it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._places: Sequence[Socket] = ()
        self._since = self._idle_since = self._worked = 0.0
        self._now = 0.0

    def see(self, sight: Sight, now: float) -> None:
        if sight.places != self._places:
            self._places, self._since = sight.places, now
            self._idle_since, self._worked = now, sight.worked_seconds
        busy = sight.worked_seconds - self._worked > _IDLE_SHARE * (now - self._idle_since) + 0.1
        if busy or sight.calls:
            self._idle_since, self._worked = now, sight.worked_seconds
        self._now = now

    @property
    def complaint(self) -> str:
        """``listens on 127.0.0.1:8000 but must listen on …``; empty while it may still move."""
        if not is_misplaced(self._places, self._port) or self._now - self._since < TOLD_SECONDS:
            return ""
        shown = [_shown(each) for each in self._places[:3]]
        return f"listens on {', '.join(shown)} but must listen on 0.0.0.0:$PORT ({self._port})"

    @property
    def is_final(self) -> bool:
        """Tell whether waiting for it makes no sense."""
        if not self.complaint:
            return False
        if self._is_for_itself_alone:
            return self._now - self._since >= LOOPBACK_SECONDS
        return self._is_untold and self._now - self._idle_since >= ELSEWHERE_SECONDS

    @property
    def is_worth_a_word(self) -> bool:
        """Tell whether to complain while it is waited for: not where the end will soon say it."""
        if not self.complaint or self.is_final or self._is_for_itself_alone:
            return False
        return not self._is_untold or self._now - self._since >= ELSEWHERE_SECONDS

    @property
    def _is_for_itself_alone(self) -> bool:
        return any(port == self._port for _, port in self._places)

    @property
    def _is_untold(self) -> bool:
        return all(port in _UNTOLD for _, port in self._places)


def is_misplaced(places: Sequence[Socket], port: int) -> bool:
    """Tell whether there are ``places``, and no request to ``port`` of another host gets there."""
    right = [address for address, number in places if number == port]
    return bool(places) and all(ipaddress.ip_address(each).is_loopback for each in right)


def _shown(place: Socket) -> str:
    address, port = place
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
