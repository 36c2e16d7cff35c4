"""An outlook: how a host is doing with its automatic certificate, and what comes next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.certificate import Certificate
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.renewal import renewal_moment, runs_out

OutlookState = Literal["issued", "waiting", "failing", "own", "none", "off"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """``certificate_for`` is the name that the certificate is for: that of ``host``, or a wildcard.

    ``expires_at`` is the end of the certificate that there is, ``next_at`` the moment of the next
    try or renewal. ``why`` says why there is none or no new one, ``hint`` what to do.
    """

    host: HostName
    app: AppName
    state: OutlookState
    certificate_for: HostName | None = None
    expires_at: datetime | None = None
    next_at: datetime | None = None
    tries: int = 0
    why: str = ""
    hint: str = ""
    is_urgent: bool = False

    @property
    def said(self) -> str:
        """Say why there is none, or no new one, when it is tried again and what to do, in one line.

        Empty where nothing is amiss.
        """
        if self.state == "none":
            return f"{self.host} gets no certificate by itself: {self.why}"
        if self.state != "failing":
            return ""
        what = "is not renewed" if self.expires_at else "has no certificate"
        again = f"; tried again at {self.next_at:%Y-%m-%d %H:%M} UTC" if self.next_at else ""
        return f"{self.host} {what}: {self.why}{again}{f': {self.hint}' if self.hint else ''}"

    @property
    def warning(self) -> str:
        """Give one line for whoever looks at something else; empty while nothing is urgent."""
        if not self.is_urgent:
            return ""
        if self.expires_at is None:
            return f"{self.host} has no certificate: {self.why}"
        end = f"{self.expires_at:%Y-%m-%d}"
        return f"the certificate of {self.host} ends on {end} and is not renewed: {self.why}"


def outlook_of(
    host: HostName, app: AppName, attempt: Attempt, present: Certificate | None, now: datetime
) -> Outlook:
    """Tell how a host stands whose certificate is for ``attempt.name``; ``present`` is the one that
    there is."""
    good = present if present is not None and present.not_after > now else None
    failed = bool(attempt.tries)
    state: OutlookState = "failing" if failed else "issued" if good else "waiting"
    return Outlook(
        host,
        app,
        state,
        attempt.name,
        present.not_after if present else None,
        _next_at(attempt, good),
        attempt.tries,
        attempt.error,
        attempt.hint,
        is_urgent=failed and (good is None or runs_out(good.not_before, good.not_after, now)),
    )


def _next_at(attempt: Attempt, good: Certificate | None) -> datetime | None:
    if good is None or attempt.is_under_way:
        return attempt.next_at
    return renewal_moment(attempt.name, good.not_before, good.not_after, attempt.renew_at)
