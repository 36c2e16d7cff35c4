"""A table decides how each key of app.json is treated.

A value of the wrong kind is refused whatever becomes of its key; see ``parse_app_json``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from pushdeploy.build.app_json import AppJson


class Fate(StrEnum):
    """``TOLD``: the key has no effect here, and a push says so, with what to do instead.

    ``LEFT``: the key is for other platforms, or for people, and nobody misses an effect of it.
    """

    HONOURED = "honoured"
    TOLD = "told"
    LEFT = "left alone"


@dataclass(frozen=True, slots=True)
class Key:
    """``name`` has dots between levels, and ``*`` for a name that people choose.

    ``words`` are those of the push; ``{}`` in them is what the file says.
    """

    name: str
    fate: Fate
    words: str = ""


_NOT_RUN = "is not run: the  release:  line of the Procfile is"
_FOR_OTHERS = (
    *("name", "description", "keywords", "website", "repository", "logo", "success_url"),
    *("stack", "image", "environments"),
)

KEYS: Sequence[Key] = (
    Key("formation.*.quantity", Fate.HONOURED),
    Key("formation.*.size", Fate.LEFT),
    Key("healthchecks", Fate.HONOURED),
    Key("env", Fate.HONOURED),
    Key("static", Fate.HONOURED),
    Key("scripts.postdeploy", Fate.TOLD, f"scripts.postdeploy {_NOT_RUN}"),
    Key("scripts.pr-predestroy", Fate.TOLD, f"scripts.pr-predestroy {_NOT_RUN}"),
    Key("scripts.dokku.predeploy", Fate.TOLD, f"scripts.dokku.predeploy {_NOT_RUN}"),
    Key("scripts.dokku.postdeploy", Fate.TOLD, f"scripts.dokku.postdeploy {_NOT_RUN}"),
    Key("cron", Fate.TOLD, "cron is not run: a process type of its own can keep the time"),
    Key(
        "buildpacks",
        Fate.TOLD,
        "buildpacks have no effect: the files in the top directory decide",
    ),
    Key("addons", Fate.TOLD, "addons are not made: set their addresses with  config:set"),
    Key("healthchecks.*.httpHeaders", Fate.TOLD, "httpHeaders of healthchecks are not sent"),
    Key(
        "healthchecks.*.type",
        Fate.TOLD,
        "healthchecks of type {} are not run, those of startup are",
    ),
    *(Key(name, Fate.LEFT) for name in _FOR_OTHERS),
)


def told(facts: AppJson) -> Iterator[str]:
    """A line for each key of the file that has no effect here, and should perhaps have one."""
    for key in KEYS:
        found = _said(facts, key.name) if key.fate is Fate.TOLD else None
        if found:
            yield f"app.json: {key.words.format(found)}"


def _said(facts: AppJson, name: str) -> object:
    """What the file says of a key; of a health check only what is not honoured."""
    checks = [check for each in facts.healthchecks.values() for check in each]
    if name == "healthchecks.*.httpHeaders":
        return any(check.http_headers for check in checks)
    if name == "healthchecks.*.type":
        return ", ".join(sorted({check.type for check in checks} - {"startup"}))
    return attrgetter(name.replace("-", "_"))(facts)
