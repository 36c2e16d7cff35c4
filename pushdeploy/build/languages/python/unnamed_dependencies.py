"""Other files of a project may name dependencies that requirements.txt, which decides, does not."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from pushdeploy.build.languages.python.poetry import normal_name
from pushdeploy.build.languages.python.requirements import installs_from_source
from pushdeploy.build.tree import Tree

_SHOWN = 3
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def left_out(tree: Tree, files: Mapping[str, bytes]) -> Iterator[str]:
    """A line for each file with dependencies that ``files``, the requirements, do not name.

    A project that the requirements install themselves brings its own along.
    """
    if installs_from_source(files):
        return
    text = "\n".join(data.decode(errors="replace") for data in files.values())
    named = {normal_name(name) for name in _NAME.findall(text)}
    for path, find in (("pyproject.toml", _of_pyproject), ("Pipfile", _of_pipfile)):
        missing = [name for name in find(_toml(tree, path)) if normal_name(name) not in named]
        if missing:
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            yield (
                f"requirements.txt decides: {', '.join(missing[:_SHOWN])}{more} of {path}"
                " is not installed"
            )


def _toml(tree: Tree, path: str) -> Mapping[str, Any]:
    """Nothing where the file is no TOML, for nobody reads it."""
    with suppress(tomllib.TOMLDecodeError):
        return tomllib.loads(tree.text(path)) if tree.has(path) else {}
    return {}


def _of_pyproject(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _names(_part(data, "project").get("dependencies"))
    for name in _part(data, "tool", "poetry", "dependencies"):
        if name != "python":
            yield name


def _of_pipfile(data: Mapping[str, Any]) -> Iterable[str]:
    return _part(data, "packages")


def _part(data: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for key in path:
        data = data.get(key, {})
        if not isinstance(data, dict):
            return {}
    return data


def _names(requirements: object) -> Iterator[str]:
    for each in requirements if isinstance(requirements, list) else []:
        if isinstance(each, str) and (found := _NAME.match(each)):
            yield found[0]
