"""Back-off: when the server may try again what a certificate authority has refused."""

from datetime import datetime, timedelta
from hashlib import sha256

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
PAUSES_SECONDS = (_MINUTE, 10 * _MINUTE, _HOUR, 6 * _HOUR, _DAY)
_SPREAD = 0.1
"""Up to a tenth longer: what has failed together is not tried again together."""


def next_try(name: str, tries: int, now: datetime, not_before: datetime | None = None) -> datetime:
    """Give the moment of the next try after ``tries`` in a row have failed.

    The authority's own word, ``not_before``, wins over the usual pauses. There is a minute
    between two tries at least.
    """
    if not_before is not None:
        soonest = now + timedelta(seconds=PAUSES_SECONDS[0])
        spread = timedelta(seconds=PAUSES_SECONDS[0] * fraction_of(name, tries))
        return max(not_before, soonest) + spread
    usual = PAUSES_SECONDS[min(max(tries, 1), len(PAUSES_SECONDS)) - 1]
    return now + timedelta(seconds=usual * (1 + _SPREAD * fraction_of(name, tries)))


def fraction_of(name: str, number: int = 0) -> float:
    """Give each name a place of its own between 0 and 1, the same one at every start."""
    digest = sha256(f"{number} {name}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
