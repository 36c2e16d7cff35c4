"""The rules of an app's front: what its visitors meet before a process of it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pushdeploy.domain.front.access import Access
from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.password import Passwords
from pushdeploy.domain.front.rate_limits import RateLimits
from pushdeploy.domain.front.redirect import Redirect


@dataclass(frozen=True, slots=True)
class FrontRules:
    """``maintenance`` is None while it is off. ``pages`` are the app's own, by the status that
    nginx answers.
    """

    maintenance: Maintenance | None = None
    access: Access = field(default_factory=Access)
    passwords: Passwords = field(default_factory=Passwords)
    redirects: Sequence[Redirect] = ()
    limits: RateLimits = field(default_factory=RateLimits)
    pages: Mapping[int, str] = field(default_factory=dict)


def copied(rules: FrontRules) -> FrontRules:
    """Return the rules that a clone begins with: it is open, whatever its model is just now."""
    return replace(rules, maintenance=None)
