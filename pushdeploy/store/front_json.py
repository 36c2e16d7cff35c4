"""The rules of an app's front become JSON and come back, each checked as if it were typed.

What cannot be read is left out, but for rules that keep visitors out: such a one closes the app.
"""

from collections.abc import Mapping
from typing import Any

from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.network import in_order, parse_network
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.store.reading import Reading, text

Json = dict[str, Any]


def front_json(rules: FrontRules) -> Json:
    """Return what there is; an app without rules has an empty one."""
    found: Json = {}
    if rules.maintenance is not None:
        found["maintenance"] = _maintenance_json(rules.maintenance)
    return found


def front_of(stored: object, reading: Reading) -> FrontRules:
    """Read what ``front_json`` has made. A later version may have stored more."""
    if stored is None:
        return FrontRules()
    if not isinstance(stored, dict):
        reading.lost.append("front")
        return FrontRules(maintenance=Maintenance())
    closed: Maintenance | None = Maintenance()
    return FrontRules(
        maintenance=reading.whole(
            "front.maintenance", lambda: _maintenance_of(stored.get("maintenance")), closed
        ),
    )


def _maintenance_json(maintenance: Maintenance) -> Json:
    return {"page": maintenance.page, "allowed": [str(each) for each in maintenance.allowed]}


def _maintenance_of(stored: Mapping[str, Any] | None) -> Maintenance | None:
    if stored is None:
        return None
    page = stored["page"]
    allowed = in_order([parse_network(text(each)) for each in stored["allowed"]])
    return Maintenance(None if page is None else text(page), allowed)
