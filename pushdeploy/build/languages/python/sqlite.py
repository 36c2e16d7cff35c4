"""A Python app opens an SQLite database in Django's settings or in its code."""

import re
from collections.abc import Sequence

from pushdeploy.build.tree import NO_DATA, Tree

_DEEPEST_SETTINGS = 3
_MOST_FILES = 200
_OF_DJANGO = re.compile(r"^[^#\n]*django\.db\.backends\.sqlite3", re.MULTILINE)
_IN_CODE = re.compile(
    r"^[^#\n]*(?:sqlite3?\.connect\(\s*(?![\"']:memory:)|sqlite(?:\+\w+)?:///(?!:memory:|[\"'?]))",
    re.MULTILINE,
)


def opens_sqlite(tree: Tree) -> str:
    """The file that says so; empty where none does."""
    settings = [path for name in ("settings.py", "base.py") for path in _named(tree, name)]
    found = next((path for path in settings if _OF_DJANGO.search(tree.text(path))), "")
    return found or next((p for p in _near_code(tree) if _IN_CODE.search(tree.text(p))), "")


def _named(tree: Tree, name: str) -> Sequence[str]:
    return tree.named(name, _DEEPEST_SETTINGS)


def _near_code(tree: Tree) -> Sequence[str]:
    """Python files of the top directory and of those in it, as many as are worth a look."""
    found = []
    for path in sorted(tree.paths):
        top = path.rpartition("/")[0]
        if path.endswith(".py") and "/" not in top and top not in NO_DATA:
            found.append(path)
    return found[:_MOST_FILES]
