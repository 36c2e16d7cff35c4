"""An app may say in several places which Python it wants; one of them wins."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from pushdeploy.build.languages.python.versions import Wish, parse_wish
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

VERSION_FILE, RUNTIME_FILE = ".python-version", "runtime.txt"
_DEPRECATED = "runtime.txt is deprecated: put the version, like 3.13, into .python-version"


def wish_of(tree: Tree, environment: Mapping[str, str]) -> tuple[Wish | None, list[str]]:
    """The wish that wins, and notices: who lost, what is old.

    PYTHON_VERSION, then runtime.txt, as Heroku has it, .python-version, and Pipfile.lock.
    """
    asked = list(_asked(tree, environment))
    if not asked:
        return None, []
    wish = asked[0]()
    old = [_DEPRECATED] if wish.where == RUNTIME_FILE else []
    return wish, [*old, *_overruled(wish, asked[1:])]


def _asked(tree: Tree, environment: Mapping[str, str]) -> Iterator[Callable[[], Wish]]:
    if configured := environment.get("PYTHON_VERSION"):
        yield partial(parse_wish, configured, "config var PYTHON_VERSION")
    for name in (RUNTIME_FILE, VERSION_FILE):
        if tree.has(name):
            yield partial(_written, tree, name)
    if version := _of_pipfile(tree):
        yield partial(parse_wish, version, "Pipfile.lock")


def _written(tree: Tree, name: str) -> Wish:
    return parse_wish(tree.text(name), name)


def _of_pipfile(tree: Tree) -> str:
    """Tell whether the lock can be used at all is another's question."""
    if not tree.has("Pipfile.lock"):
        return ""
    try:
        requires = json.loads(tree.text("Pipfile.lock"))["_meta"]["requires"]
        return str(requires.get("python_full_version") or requires.get("python_version") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _overruled(wish: Wish, others: Sequence[Callable[[], Wish]]) -> Iterator[str]:
    for other in others:
        try:
            lost = other()
        except BuildFailed as error:
            yield f"{error.message}; {wish.where} goes before it"
            continue
        if lost.release != wish.release:
            yield (
                f"{wish.where} asks for Python {wish.full} and {lost.where} for {lost.full}:"
                f" {wish.where} wins"
            )
