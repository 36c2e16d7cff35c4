"""One table decides what becomes of each key of app.json.

A value of the wrong kind is refused whatever becomes of its key; see ``parse_app_json``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pushdeploy.build.app_json import AppJson, HealthcheckEntry

_FOR_OTHERS = (
    *("name", "description", "keywords", "website", "repository", "logo", "success_url"),
    *("stack", "image", "environments"),
)
_NOT_RUN = "{name} is not run: the  release:  line of the Procfile is"


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

    ``find`` gives what a file says of a key that is told, false where it says nothing; ``words``
    are those of the push.
    """

    name: str
    fate: Fate
    words: str = ""
    find: Callable[[AppJson], object] = bool


def _checks(facts: AppJson) -> Iterator[HealthcheckEntry]:
    return (entry for entries in facts.healthchecks.values() for entry in entries)


def _other_types(facts: AppJson) -> str:
    return ", ".join(sorted({entry.type for entry in _checks(facts)} - {"startup"}))


KEYS: Sequence[Key] = (
    Key("formation.*.quantity", Fate.HONOURED),
    Key("formation.*.size", Fate.LEFT),
    Key("healthchecks", Fate.HONOURED),
    Key("env", Fate.HONOURED),
    Key("scripts.postdeploy", Fate.TOLD, _NOT_RUN, lambda facts: facts.scripts.postdeploy),
    Key("scripts.pr-predestroy", Fate.TOLD, _NOT_RUN, lambda facts: facts.scripts.pr_predestroy),
    Key(
        "scripts.dokku.predeploy",
        Fate.TOLD,
        _NOT_RUN,
        lambda facts: facts.scripts.dokku.predeploy,
    ),
    Key(
        "scripts.dokku.postdeploy",
        Fate.TOLD,
        _NOT_RUN,
        lambda facts: facts.scripts.dokku.postdeploy,
    ),
    Key(
        "cron",
        Fate.TOLD,
        "{name} is not run: a process type of its own can keep the time",
        lambda facts: facts.cron,
    ),
    Key(
        "buildpacks",
        Fate.TOLD,
        "{name} have no effect: the files in the top directory decide",
        lambda facts: facts.buildpacks,
    ),
    Key(
        "addons",
        Fate.TOLD,
        "{name} are not made: set their addresses with  config:set",
        lambda facts: facts.addons,
    ),
    Key(
        "healthchecks.*.httpHeaders",
        Fate.TOLD,
        "httpHeaders of healthchecks are not sent",
        lambda facts: any(entry.http_headers for entry in _checks(facts)),
    ),
    Key(
        "healthchecks.*.type",
        Fate.TOLD,
        "healthchecks of type {found} are not run, those of startup are",
        _other_types,
    ),
    *(Key(name, Fate.LEFT) for name in _FOR_OTHERS),
)


def told(facts: AppJson) -> Iterator[str]:
    """A line for each key of the file that has no effect here, and should perhaps have one."""
    for key in KEYS:
        found = key.find(facts) if key.fate is Fate.TOLD else None
        if found:
            yield f"app.json: {key.words.format(name=key.name, found=found)}"
