"""Renewal: when an automatic certificate is replaced, and when that it was not is worth a word."""

from datetime import datetime, timedelta

from pushdeploy.domain.back_off import fraction_of

_PART = 2 / 3
_SPREAD = 1 / 30
"""Of the lifetime, three days of ninety: what was issued together is not renewed together."""

WARNING_DAYS = 14


def renewal_moment(
    name: str, not_before: datetime, not_after: datetime, suggested: datetime | None = None
) -> datetime:
    """Give the moment that the authority has ``suggested``, else two thirds of the lifetime.

    Nothing is renewed later than its last tenth, whatever was suggested.
    """
    lifetime = not_after - not_before
    latest = not_after - lifetime / 10
    if suggested is not None:
        return min(suggested, latest)
    return not_before + lifetime * (_PART - _SPREAD * fraction_of(name))


def runs_out(not_before: datetime, not_after: datetime, now: datetime) -> bool:
    """Tell whether the end is near: two weeks, or the last sixth of a short lifetime."""
    return not_after - now <= min(timedelta(days=WARNING_DAYS), (not_after - not_before) / 6)
