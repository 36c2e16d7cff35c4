"""render.yaml is a Blueprint of Render: its static service says which folder is the site."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

FILE = "render.yaml"
_MOST_CHARACTERS = 64 * 1024
_MOST_ALIASES = 100
_MOST_LEVELS = 50
"""Reading takes the square of them."""

_CORRECT = "correct it, commit and push"


@dataclass(frozen=True, slots=True)
class StaticService:
    """``root`` is the folder, relative to ``directory``, in which ``build`` runs as well."""

    name: str
    root: str
    build: str = ""
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """``runs_others`` tells whether there are services that are no static sites."""

    static: Sequence[StaticService] = ()
    runs_others: bool = False

    def meant_for(self, app: str) -> Sequence[StaticService]:
        """Those that may be the app: the one of its name, else any, unless a service of another
        kind may be it as well."""
        named = [each for each in self.static if each.name == app]
        return named or ([] if self.runs_others else self.static)


def read_blueprint(tree: Tree) -> Blueprint:
    """An empty one where there is no such file; ``BuildFailed`` for one that is no YAML."""
    if not tree.has(FILE):
        return Blueprint()
    document = _decoded(tree.text(FILE))
    services = document.get("services") if isinstance(document, dict) else None
    listed = services if isinstance(services, list) else []
    known = [each for each in listed if isinstance(each, dict)]
    static = [_service(each) for each in known if _is_static(each)]
    return Blueprint(static, len(static) < len(known))


def _is_static(service: Mapping[str, Any]) -> bool:
    """``env`` is the former name of ``runtime``."""
    return "static" in {service.get("runtime"), service.get("env"), service.get("type")}


def _service(service: Mapping[str, Any]) -> StaticService:
    words = {}
    for key in ("name", "staticPublishPath", "buildCommand", "rootDir"):
        value = service.get(key)
        if value is not None and not isinstance(value, str):
            raise BuildFailed(f"{FILE}: {key} must be a text", _CORRECT)
        words[key] = (value or "").strip()
    return StaticService(
        words["name"], words["staticPublishPath"], words["buildCommand"], words["rootDir"]
    )


def _decoded(text: str) -> object:
    """Read it at a cost that its length bounds: a value that has several names is made once."""
    import yaml  # only where there is such a file

    class Loader(yaml.SafeLoader):  # type: ignore[misc] # yaml has no types
        """Merge keys copy what they name: a few lines of them, each of the former, fill memory."""

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            for key, _value in node.value:
                if key.tag == "tag:yaml.org,2002:merge":
                    line = key.start_mark.line + 1
                    raise BuildFailed(
                        f"{FILE} line {line} has a merge key, which is not read",
                        "write the keys out instead of  <<:  and push again",
                    )

    if len(text) > _MOST_CHARACTERS:
        raise BuildFailed(f"{FILE} is larger than {_MOST_CHARACTERS // 1024} KB", _CORRECT)
    try:
        _refuse_costly(yaml.scan(text))
        return yaml.load(text, Loader)  # noqa: S506 - it is a safe one
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BuildFailed(f"{FILE}{line} is not YAML: {error.problem}", _CORRECT) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BuildFailed(f"{FILE} is not YAML: {error}", _CORRECT) from error


def _refuse_costly(tokens: Iterable[object]) -> None:
    """Look no further than the first that is too many."""
    aliases = level = 0
    for token in tokens:
        name = type(token).__name__
        aliases += name == "AliasToken"
        level += name.endswith(("SequenceStartToken", "MappingStartToken"))
        level -= name.endswith(("SequenceEndToken", "MappingEndToken", "BlockEndToken"))
        if aliases > _MOST_ALIASES:
            raise BuildFailed(f"{FILE} has more than {_MOST_ALIASES} aliases", _CORRECT)
        if level > _MOST_LEVELS:
            raise BuildFailed(f"{FILE} is nested more than {_MOST_LEVELS} levels deep", _CORRECT)
