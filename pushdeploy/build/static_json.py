"""static.json describes a static site, as Heroku's buildpack of that name has it.

The same object may stand in app.json under ``static``.
"""

from typing import Any

import json5
from pydantic import BaseModel, ConfigDict, ValidationError

from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

FILE = "static.json"
_MOST_CHARACTERS = 256 * 1024
_CORRECT = "correct it, commit and push"


class StaticJson(BaseModel):
    """``root`` is the folder to publish; ``build`` is a command that makes it, and is our own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    root: str | None = None
    build: str = ""


def read_static_json(tree: Tree) -> StaticJson | None:
    """None without the file; ``BuildFailed`` for one that cannot be read."""
    if not tree.has(FILE):
        return None
    try:
        return StaticJson.model_validate(_decoded(tree.text(FILE)))
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in found["loc"]) or "it"
        raise BuildFailed(f"{FILE}: {key} must be a text in quotes", _CORRECT) from error


def _decoded(text: str) -> dict[str, Any]:
    if len(text) > _MOST_CHARACTERS:
        raise BuildFailed(f"{FILE} is larger than {_MOST_CHARACTERS // 1024} KB", _CORRECT)
    try:
        data = json5.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        where = str(error).replace("<string>:", "line ", 1)
        raise BuildFailed(f"{FILE} is not JSON: {where}", _CORRECT) from error
    if not isinstance(data, dict):
        raise BuildFailed(f"{FILE} is not an object", 'write it like  {"root": "public"}')
    return data
