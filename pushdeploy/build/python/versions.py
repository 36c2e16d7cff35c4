"""Which Python an app wants, and which stack has it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

_VERSION = re.compile(r"(?:python-|cpython-)?(\d+)\.(\d+)(?:\.(\d+|\*|x))?")
_CLAUSE = re.compile(r"(===|~=|==|!=|<=|>=|<|>|\^|~|=)?\s*v?(\d+)(?:\.(\d+|\*))?(?:\.\S+)?")

Release = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wish:
    """A version that somebody asked for, and where."""

    release: Release
    full: str
    where: str


@dataclass(frozen=True, slots=True)
class PythonChoice:
    """``managed`` is the version that uv must fetch, where no stack has it."""

    stack: str
    version: str
    managed: str | None = None
    notices: tuple[str, ...] = ()


def choose_python(
    wish: Wish | None, requires: str, default_stack: str, pythons: Mapping[str, str]
) -> PythonChoice:
    """The default stack where it fits, else another stack, else a Python of uv's own.

    ``requires`` is a version specifier of the project's metadata, used when nobody wished.
    """
    order = sorted(pythons, key=lambda stack: stack != default_stack)
    if wish is not None:
        return _granted(wish, order, pythons)
    for stack in order:
        if satisfies(_release(pythons[stack]), requires):
            return PythonChoice(stack, pythons[stack])
    raise BuildFailed(
        f"the project requires Python {requires}, and no stack has it: {available(pythons)}",
        "name a version of its own in .python-version, or widen requires-python",
    )


def wish_of(tree: Tree, environment: Mapping[str, str]) -> tuple[Wish | None, tuple[str, ...]]:
    """What PYTHON_VERSION, runtime.txt or .python-version ask for; notices for old habits."""
    if text := environment.get("PYTHON_VERSION"):
        return parse_wish(text, "config var PYTHON_VERSION"), ()
    if tree.has(".python-version"):
        return parse_wish(tree.text(".python-version"), ".python-version"), ()
    if tree.has("runtime.txt"):
        notice = "runtime.txt is deprecated: put the version, like 3.13, into .python-version"
        return parse_wish(tree.text("runtime.txt"), "runtime.txt"), (notice,)
    return None, ()


def parse_wish(text: str, where: str) -> Wish:
    """``3.13``, ``3.13.2`` or ``python-3.13.2``; comments and blank lines are skipped."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    match = _VERSION.fullmatch(lines[0]) if len(lines) == 1 else None
    if not match:
        shown = lines[0][:40] if lines else ""
        raise BuildFailed(
            f"{where} does not name one Python version: {shown!r}", "write a version like  3.13"
        )
    full = match.group(0).removeprefix("cpython-").removeprefix("python-")
    return Wish((int(match.group(1)), int(match.group(2))), full.rstrip("x*").rstrip("."), where)


def satisfies(release: Release, requires: str) -> bool:
    """Whether some ``release.x`` meets a specifier, Poetry's caret and tilde included."""
    return any(
        all(_meets(release, clause) for clause in re.split(r"[,\s]+(?=[<>=!~^])|,", choice))
        for choice in requires.split("||")
    )


def available(pythons: Mapping[str, str]) -> str:
    return ", ".join(f"{version} ({stack})" for stack, version in sorted(pythons.items()))


def _granted(wish: Wish, order: list[str], pythons: Mapping[str, str]) -> PythonChoice:
    for stack in order:
        if _release(pythons[stack]) == wish.release:
            version = pythons[stack]
            notices = (
                (f"{wish.where} asks for {wish.full}: using the {version} of stack {stack}",)
                if wish.full != version
                else ()
            )
            return PythonChoice(stack, version, notices=notices)
    return PythonChoice(order[0], wish.full, managed=wish.full)


def _release(version: str) -> Release:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _meets(release: Release, clause: str) -> bool:
    text = clause.strip()
    match = _CLAUSE.fullmatch(text)
    if text in {"", "*"} or not match:
        return True
    operator, major, minor = match.group(1) or "==", int(match.group(2)), match.group(3)
    if minor in {None, "*"}:
        return _meets_major(release, operator, major)
    bound = (major, int(str(minor)))
    patch = text.count(".") >= 2 and not text.endswith(("*", ".0"))
    return {
        ">=": release >= bound,
        ">": release > bound or (patch and release == bound),
        "<": release < bound or (patch and release == bound),
        "<=": release <= bound,
        "==": release == bound,
        "===": release == bound,
        "=": release == bound,
        "!=": patch or release != bound,
        "~": release == bound,
        "~=": release == bound if text.count(".") >= 2 else _compatible(release, bound),
        "^": _compatible(release, bound),
    }[operator]


def _compatible(release: Release, bound: Release) -> bool:
    return release >= bound and release[0] == bound[0]


def _meets_major(release: Release, operator: str, major: int) -> bool:
    return {
        ">=": release[0] >= major,
        ">": release[0] > major,
        "<": release[0] < major,
        "<=": release[0] <= major,
        "!=": release[0] != major,
    }.get(operator, release[0] == major)
