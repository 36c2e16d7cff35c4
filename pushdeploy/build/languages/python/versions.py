"""People write versions of Python in many forms; some meet a requirement, and each has an end."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pushdeploy.domain.errors import BuildFailed

_VERSION = re.compile(r"(?:python-|cpython-|cpython@)?v?(\d+)\.(\d+)(?:\.(\d+|\*|x))?")
_CLAUSE = re.compile(r"(===|~=|==|!=|<=|>=|<|>|\^|~|=)?\s*v?(\d+)(?:\.(\d+|\*))?(?:\.\S+)?")
_PRE_RELEASE = re.compile(r"(?:python-)?v?\d+\.\d+(?:\.\d+)?(?:-?(?:a|b|rc|dev)\d*|-dev)")
_FREE_THREADED = re.compile(r"(?:python-)?v?\d+\.\d+(?:\.\d+)?(?:t|\+freethreaded)")
_OTHER_PYTHON = re.compile(
    r"(pypy|jython|graalpy|graalpython|micropython|stackless|\w*conda)", re.IGNORECASE
)

OLDEST_TO_FETCH = (3, 8)
"""uv has builds of this one and newer."""

Release = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody asked for a version, at a place."""

    release: Release
    full: str
    where: str


def parse_wish(text: str, where: str) -> Wish:
    """``3.13``, ``3.13.2`` or ``python-3.13.2``; comments and blank lines are skipped.

    ``BuildFailed`` tells apart what is not one released version of CPython.
    """
    stripped = [line.partition("#")[0].strip() for line in text.splitlines()]
    lines = [line for line in stripped if line]
    if not lines:
        raise BuildFailed(f"{where} is empty", "write a version like  3.13  into it")
    if len(lines) > 1:
        raise BuildFailed(
            f"{where} names several versions: {', '.join(lines)[:60]}", "keep one, like  3.13"
        )
    match = _VERSION.fullmatch(lines[0])
    if not match:
        raise BuildFailed(_not_a_version(lines[0][:40], where), "write a version like  3.13")
    release = (int(match.group(1)), int(match.group(2)))
    patch = match.group(3) or ""
    full = f"{release[0]}.{release[1]}" + (f".{patch}" if patch.isdecimal() else "")
    return Wish(release, full, where)


def _not_a_version(text: str, where: str) -> str:
    if _FREE_THREADED.fullmatch(text):
        return f"{where} asks for {text}, a free-threaded build, which is not supported"
    if _PRE_RELEASE.fullmatch(text):
        return f"{where} asks for {text}, a pre-release, which is not supported"
    if _OTHER_PYTHON.match(text):
        return f"{where} asks for {text}: no other Python than CPython is supported"
    return f"{where} does not name one Python version: {text!r}"


def satisfies(release: Release, requires: str) -> bool:
    """Tell whether some ``release.x`` meets a specifier, Poetry's caret and tilde included.

    ``x`` is not 0: ``<=3.13`` leaves out 3.13.5 (PEP 440), and nobody has 3.13.0 any more. ``3.13``
    and ``==3.13`` are taken for what their writers mean.
    """
    return any(
        all(_meets(release, clause) for clause in re.split(r"[,\s]+(?=[<>=!~^])|,", choice))
        for choice in re.split(r"\|\|?", requires)
    )


def newest_release(today: date) -> Release:
    """A new one every October (PEP 602): 3.14 came in 2025."""
    return (3, today.year - 2011 - (today.month < 10))


def end_of_life(release: Release, today: date) -> str:
    """The month since which nobody mends it; empty while somebody does. Five years (PEP 602)."""
    if release[0] < 3:
        return "January 2020"
    last = 2016 + release[1]
    ended = release[0] == 3 and (last, 10) < (today.year, today.month)
    return f"October {last}" if ended else ""


def refuse_impossible(wish: Wish, today: date) -> None:
    """Raise ``BuildFailed`` for a version that nobody has, or not any more."""
    newest = newest_release(today)
    if wish.release > newest:
        raise BuildFailed(
            f"{wish.where} asks for Python {wish.full}, and there is none yet: the newest is"
            f" {newest[0]}.{newest[1]}",
            "write a version that is out, like  3.13",
        )
    if wish.release < OLDEST_TO_FETCH:
        raise BuildFailed(
            f"{wish.where} asks for Python {wish.full}, whose life ended in"
            f" {end_of_life(wish.release, today)}: nothing here runs it",
            "write a newer version, like  3.13, and push; an image of your own works too:"
            " add a Dockerfile",
        )


def release_of(version: str) -> Release:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def available(pythons: Mapping[str, str]) -> str:
    return ", ".join(f"{version} ({stack})" for stack, version in sorted(pythons.items()))


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
        "<=": release < bound or (patch and release == bound),
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
