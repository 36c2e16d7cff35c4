"""render.yaml is a Blueprint of Render: its static service says which folder is the site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

FILE = "render.yaml"
_MOST_CHARACTERS = 256 * 1024
_MOST_ALIASES = 100
"""Names that stand for other parts of the file: many of them make a small file a huge one."""

_CORRECT = "correct it, commit and push"


@dataclass(frozen=True, slots=True)
class StaticService:
    """``root`` is the folder, relative to ``directory``, in which ``build`` runs as well."""

    name: str
    root: str
    build: str = ""
    directory: str = ""


def read_static_services(tree: Tree) -> Sequence[StaticService]:
    """The static services of the file, none where there is no such file.

    ``BuildFailed`` for one that is no YAML.
    """
    if not tree.has(FILE):
        return []
    document = _decoded(tree.text(FILE))
    services = document.get("services") if isinstance(document, dict) else None
    listed = services if isinstance(services, list) else []
    return [_service(each) for each in listed if isinstance(each, dict) and _is_static(each)]


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
    import yaml  # only where there is such a file

    if len(text) > _MOST_CHARACTERS:
        raise BuildFailed(f"{FILE} is larger than {_MOST_CHARACTERS // 1024} KB", _CORRECT)
    try:
        aliases = sum(isinstance(each, yaml.AliasToken) for each in yaml.scan(text))
        if aliases > _MOST_ALIASES:
            raise BuildFailed(f"{FILE} has {aliases} aliases, which is too many", _CORRECT)
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BuildFailed(f"{FILE}{line} is not YAML: {error.problem}", _CORRECT) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BuildFailed(f"{FILE} is not YAML: {error}", _CORRECT) from error
