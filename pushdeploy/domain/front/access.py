"""Access: visitors from some addresses are let in or kept out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pushdeploy.domain.front.network import Network, in_order

Verdict = Literal["allow", "deny"]


@dataclass(frozen=True, slots=True)
class Access:
    """The narrowest network that a visitor's address is in decides, in whatever order they came.

    Whoever is in none is let in, unless one is allowed: then all others are not.
    """

    verdicts: Mapping[Network, Verdict] = field(default_factory=dict)

    @property
    def of_others(self) -> Verdict:
        return "deny" if "allow" in self.verdicts.values() else "allow"


def with_verdicts(access: Access, networks: Mapping[Network, Verdict | None]) -> Access:
    """Return the access with new verdicts, and without those of None. ``UserError`` for too many.

    A network has one verdict, the last that was given.
    """
    merged = {**access.verdicts, **networks}
    kept = {network: verdict for network, verdict in merged.items() if verdict is not None}
    return Access({network: kept[network] for network in in_order(kept)})
