"""static.json describes a static site, as Heroku's buildpack of that name has it.

The same object may stand in app.json under ``static``.
"""

from pydantic import BaseModel, ConfigDict, ValidationError

from pushdeploy.build.json_files import read_object
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

FILE = "static.json"
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
        text = tree.text(FILE)
        data = read_object(FILE, text, '{"root": "public"}') if text.strip() else {}
        return StaticJson.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in found["loc"]) or "it"
        raise BuildFailed(f"{FILE}: {key} must be a text in quotes", _CORRECT) from error
