"""A formation is how many of each process type run: as scaled, else by app.json, else web=1."""

import re
from collections.abc import Iterable, Mapping

from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import RELEASE, WEB, ProcessType
from pushdeploy.domain.release import Release

MOST_TASKS = 100
"""The largest quantity of one process type on one machine."""

_SCALE = re.compile(r"([A-Za-z0-9_-]+)([=+-])([0-9]{1,6})")


def quantities(
    process_types: Iterable[ProcessType],
    scaled: Mapping[ProcessType, int],
    suggested: Mapping[ProcessType, int],
) -> Mapping[ProcessType, int]:
    """Return the quantity of every process type of a slug.

    Types that the slug has not are left out.
    """
    default = {WEB: 1}
    return {
        kind: scaled.get(kind, suggested.get(kind, default.get(kind, 0))) for kind in process_types
    }


def formation_of(app: App, live: Release | None) -> Mapping[ProcessType, int]:
    """Return how many of each process type are to run, or will with the first release."""
    if live is None:
        return {WEB: 1, **app.formation}
    return quantities(live.slug.process_types, app.formation, live.slug.formation)


def parse_scale(
    words: Iterable[str],
    current: Mapping[ProcessType, int],
    *,
    any_type: bool = False,
    app: str = "shop",
) -> Mapping[ProcessType, int]:
    """Apply ``web=2 worker+1`` to the current quantities: the new ones of the named types.

    ``any_type``: there is no slug yet that would tell which types there are.
    """
    changed: dict[ProcessType, int] = {}
    for word in words:
        match = _SCALE.fullmatch(word)
        if not match:
            raise UserError(f"{word!r} is not a scale", f"write it like  ps:scale {app} web=2")
        kind, sign, amount = ProcessType.parse(match.group(1)), match.group(2), int(match.group(3))
        if kind == RELEASE or (kind not in current and not any_type):
            known = ", ".join(sorted(current)) or "none"
            raise UserError(f"there is no process type {kind} to scale", f"the slug has: {known}")
        before = changed.get(kind, current.get(kind, 0))
        wanted = {"=": amount, "+": before + amount, "-": before - amount}[sign]
        if not 0 <= wanted <= MOST_TASKS:
            raise UserError(
                f"{kind} cannot be scaled to {wanted}", f"0 to {MOST_TASKS} are possible"
            )
        changed[kind] = wanted
    return changed
