"""Where an app may say which Python it wants, which of these places wins, and near misses."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from pushdeploy.build.python.versions import Wish, parse_wish
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

VERSION_FILE, RUNTIME_FILE = ".python-version", "runtime.txt"
_LOOKS_LIKE = {"pythonversion": VERSION_FILE, "runtimetxt": RUNTIME_FILE}
_DEPRECATED = "runtime.txt is deprecated: put the version, like 3.13, into .python-version"


def wish_of(tree: Tree, environment: Mapping[str, str]) -> tuple[Wish | None, list[str]]:
    """The wish that wins, and notices: who lost, what is old, what is misspelled.

    PYTHON_VERSION, then runtime.txt, as Heroku has it, .python-version, and Pipfile.lock.
    """
    notices = misspelled(tree)
    asked = list(_asked(tree, environment))
    if not asked:
        return None, notices
    wish = asked[0]()
    if wish.where == RUNTIME_FILE:
        notices.append(_DEPRECATED)
    return wish, [*notices, *_overruled(wish, asked[1:])]


def misspelled(tree: Tree) -> list[str]:
    """A line for each file that seems to be meant for a version and is not read."""
    found = []
    for name in tree.root:
        meant = _LOOKS_LIKE.get(re.sub(r"[\s._-]+", "", name.lower()))
        if meant and name != meant and not tree.has(meant):
            found.append(f"{_shown(name)} is not read: is  {meant}  meant?")
    return found


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
    """Whether the lock can be used at all is another's question."""
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


def _shown(name: str) -> str:
    return repr(name) if name != name.strip() else name
