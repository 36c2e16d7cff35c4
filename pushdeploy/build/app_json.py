"""An app.json holds Heroku's keys, and Dokku's healthchecks, cron and scripts.dokku."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pushdeploy.build.json_files import read_object
from pushdeploy.build.static_json import StaticJson
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed, UserError
from pushdeploy.domain.formation import MOST_TASKS
from pushdeploy.domain.names import ProcessType
from pushdeploy.domain.slug import Healthcheck

FILE = "app.json"
_SHOWN_ERRORS = 5

_WORDS = {
    "model_type": "must be an object in braces",
    "dict_type": "must be an object in braces",
    "mapping_type": "must be an object in braces",
    "is_instance_of": "must be a list in brackets",
    "list_type": "must be a list in brackets",
    "string_type": "must be a text in quotes",
}
"""Kinds of errors that pydantic tells in a programmer's words."""

_MOST_SECONDS = 24 * 60 * 60
_Seconds = Annotated[float, Field(ge=0, le=_MOST_SECONDS, allow_inf_nan=False)]
_SomeSeconds = Annotated[float, Field(gt=0, le=_MOST_SECONDS, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class FormationEntry(_Part):
    """A new app starts with this many tasks of a process type."""

    quantity: Annotated[int, Field(ge=0, le=MOST_TASKS)] | None = None
    size: str | None = None


class HealthcheckEntry(_Part):
    """A check is read as by docker-container-healthchecker, which Dokku uses. Times in seconds."""

    name: str = "default"
    type: Literal["startup", "readiness", "liveness"] = "startup"
    path: Annotated[str, Field(pattern="^/")] | None = None
    command: Sequence[str] = ()
    content: str | None = None
    uptime: _SomeSeconds | None = None
    initial_delay: Annotated[_Seconds, Field(alias="initialDelay")] = 0
    attempts: Annotated[int, Field(ge=1, le=1000)] = 3
    wait: _Seconds = 5
    timeout: _SomeSeconds = 5
    http_headers: Annotated[Sequence[Any], Field(alias="httpHeaders")] = ()

    def value(self) -> Healthcheck:
        return Healthcheck(
            name=self.name,
            path=self.path,
            command=tuple(self.command),
            content=self.content,
            uptime_seconds=self.uptime,
            initial_delay_seconds=self.initial_delay,
            attempts=self.attempts,
            wait_seconds=self.wait,
            timeout_seconds=self.timeout,
        )


class CronEntry(_Part):
    """A command is to run by a schedule."""

    command: str
    schedule: str


class DokkuScripts(_Part):
    """Dokku's names of scripts run before and after a deploy."""

    predeploy: str | None = None
    postdeploy: str | None = None


class Scripts(_Part):
    """These scripts run around a deploy."""

    dokku: DokkuScripts = DokkuScripts()
    postdeploy: str | None = None
    pr_predestroy: Annotated[str | None, Field(alias="pr-predestroy")] = None


class EnvEntry(_Part):
    """A config var of app.json has a value, or a generator for one."""

    description: str = ""
    value: str | None = None
    required: bool = True
    generator: Literal["secret"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, given: object) -> object:
        """A text alone is the value, and nothing that must be."""
        return {"value": given, "required": False} if isinstance(given, str) else given


class AppJson(_Part):
    """Keys that pushdeploy does not know are left alone: other platforms read the file too."""

    name: str = ""
    description: str = ""
    keywords: Sequence[str] = ()
    website: str = ""
    repository: str = ""
    logo: str = ""
    success_url: str = ""
    stack: str | None = None
    image: str | None = None
    scripts: Scripts = Scripts()
    env: Mapping[str, EnvEntry] = {}
    formation: Mapping[str, FormationEntry] = {}
    addons: list[Any] = []
    buildpacks: Sequence[Mapping[str, Any]] = ()
    environments: Mapping[str, Mapping[str, Any]] = {}
    healthchecks: Mapping[str, Sequence[HealthcheckEntry]] = {}
    cron: Sequence[CronEntry] = ()
    static: StaticJson | None = None

    def checks(self) -> Mapping[ProcessType, Sequence[Healthcheck]]:
        """Startup checks of each process type, in the order of the file."""
        return {
            ProcessType.parse(kind): tuple(
                entry.value() for entry in entries if entry.type == "startup"
            )
            for kind, entries in self.healthchecks.items()
        }

    def quantities(self) -> Mapping[ProcessType, int]:
        return {
            ProcessType.parse(kind): entry.quantity
            for kind, entry in self.formation.items()
            if entry.quantity is not None
        }


def read_app_json(tree: Tree) -> AppJson:
    """The app.json of the top directory; an empty one when there is none."""
    return parse_app_json(tree.text(FILE)) if tree.has(FILE) else AppJson()


def parse_app_json(text: str) -> AppJson:
    """Raise ``BuildFailed`` that names the line, or the key and what is wrong with it."""
    data = _decoded(text)
    try:
        found = AppJson.model_validate(data)
        found.checks()
        found.quantities()
    except ValidationError as error:
        raise _invalid(error) from error
    except UserError as error:
        raise BuildFailed(f"{FILE}: {error.message}", error.hint) from error
    return found


def _decoded(text: str) -> dict[str, Any]:
    if not text.strip():
        raise BuildFailed(f"{FILE} is empty", "write {} into it, or git rm app.json")
    return read_object(FILE, text, '{"name": "shop"}')


def _invalid(error: ValidationError) -> BuildFailed:
    found = [
        (".".join(str(part) for part in detail["loc"]), _WORDS.get(detail["type"], detail["msg"]))
        for detail in error.errors(include_url=False)
    ]
    lines = [f"{key or 'the file'}: {why}" for key, why in found]
    return BuildFailed(
        f"{FILE} cannot be used: {lines[0]}",
        f"correct {found[0][0] or 'it'} in {FILE}, commit and push",
        details=lines[1:_SHOWN_ERRORS],
    )
