"""The rules of an app's front: what its visitors meet before a process of it does."""

from dataclasses import dataclass, replace

from pushdeploy.domain.front.maintenance import Maintenance


@dataclass(frozen=True, slots=True)
class FrontRules:
    """``maintenance`` is None while it is off."""

    maintenance: Maintenance | None = None


def copied(rules: FrontRules) -> FrontRules:
    """Return the rules that a clone begins with: it serves, whatever its model does just now."""
    return replace(rules, maintenance=None)
