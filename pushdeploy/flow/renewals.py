"""Renewals: a person does not want to wait for the next try of an automatic certificate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pushdeploy.certificates.wishes import Wishes
from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.certificate import Certificate
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import HostName
from pushdeploy.domain.ports.errands import Errands
from pushdeploy.store import Store

_YOUNG = timedelta(hours=1)
"""Certificate authorities count how many they give for a name."""


@dataclass(frozen=True, slots=True)
class Renewals:
    """The impatient are heard, and what the certificate authority has asked for is kept to."""

    store: Store
    wishes: Wishes
    errands: Errands

    def renew(self, hosts: Sequence[HostName]) -> Sequence[HostName]:
        """Let those of ``hosts`` that have or want an automatic certificate be tried for at once.

        ``UserError`` where none of them can be: with the reason.
        """
        now, wanted = datetime.now(UTC), self.wishes.wanted_for(hosts)
        if not wanted:
            raise UserError(*self.wishes.why_none(hosts))
        attempts = [self.store.attempts.get(name) for name in wanted]
        present = self.wishes.present()
        reasons = {each.name: _reason(each, present.get(each.name), now) for each in attempts}
        chosen = [each for each in attempts if not reasons[each.name]]
        if not chosen:
            raise UserError("; ".join(reasons.values()), "certs:auto shows when it is tried again")
        for attempt in chosen:
            self.store.attempts.save(attempt.wanted_at_once(now))
        self.errands.certify()
        return [attempt.name for attempt in chosen]


def _reason(attempt: Attempt, present: Certificate | None, now: datetime) -> str:
    """Say why the name has to wait all the same; empty where it need not."""
    until = attempt.patience_until
    if until is not None and until > now:
        return f"the CA wants no order for {attempt.name} before {until:%Y-%m-%d %H:%M} UTC"
    if present is None or attempt.is_under_way:
        return ""
    if now - present.created_at < _YOUNG:
        return f"{attempt.name} has got a certificate within this hour"
    return ""
