"""A person is told of a live release by its address, or by the command that gives it one."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.formation import quantities
from pushdeploy.domain.names import RELEASE, WEB, ProcessType
from pushdeploy.domain.release import Release

_SPECIAL = (WEB, RELEASE)
"""The types that mean something by their name."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """``warnings`` tell why its address does not answer, where that is so, and what to type."""

    headline: str
    warnings: Sequence[str] = ()


def announced(app: App, release: Release, address: str) -> Announcement:
    """``shop v3 is live: ADDRESS`` only where a web process serves."""
    types = release.slug.process_types
    counts = quantities(types, app.formation, release.slug.formation)
    name, label = release.app, release.label
    misspelled = [*_misspelled(release)]
    if app.stopped:
        return Announcement(
            f"{name} {label} is released, but {name} is stopped",
            [*misspelled, f"nothing of it runs: ps:start {name} starts it"],
        )
    if counts.get(WEB) or release.slug.published is not None:
        return Announcement(f"{name} {label} is live: {address}", misspelled)
    nothing = f"{name} {label} is live, without web: {address} does not answer"
    if WEB in types:
        return Announcement(nothing, [*misspelled, f"ps:scale {name} web=1 starts web"])
    more = misspelled or [f"where it should answer, its Procfile needs a line  {WEB}: COMMAND"]
    return Announcement(nothing, more)


def _misspelled(release: Release) -> Sequence[str]:
    """Process types are told apart by case, as on Heroku."""
    types = release.slug.process_types
    have = {*types, *([RELEASE] if release.slug.release_command else [])}
    return [
        f"the Procfile says {kind}: did you mean {meant}? upper and lower case differ in it"
        for kind in types
        for meant in _SPECIAL
        if kind != meant and meant not in have and ProcessType(kind.lower()) == meant
    ]
