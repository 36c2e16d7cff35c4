"""A .env file holds one ``KEY=VALUE`` a line, as shells, Docker Compose and our export write it."""

import re
from collections.abc import Mapping

from pushdeploy.domain.errors import UserError

_START = re.compile(r"[ \t]*(?:export[ \t]+)?([^\s=#'\"]+)[ \t]*=[ \t]*")
_NOTHING = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?:\n|\Z)")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"(?:(?!\s)(?:[^\\'\"\n]|\\[^\n]))+(?:[ \t]+(?![#\s'\"]|\Z))?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}


def parse_env(text: str) -> Mapping[str, str]:
    """Parse into ``{key: value}``; where a key stands twice the last one counts.

    ``export`` before a key, comments, single and double quotes, and values of several lines within
    quotes are understood. ``UserError`` names the line and never a value.
    """
    text = text.removeprefix("\ufeff")
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        if nothing := _NOTHING.match(text, place):
            place = nothing.end()
            continue
        start = _START.match(text, place)
        if start is None:
            raise _unreadable(text, place)
        value, place = _value(text, start.end())
        end = _NOTHING.match(text, place)
        if end is None:
            raise _unreadable(text, place)
        found[start[1]], place = value, end.end()
    return found


def _value(text: str, place: int) -> tuple[str, int]:
    """As in a shell, quoted and bare pieces that touch are one value."""
    parts: list[str] = []
    while True:
        if single := _SINGLE.match(text, place):
            parts.append(single[1])
            place = single.end()
        elif double := _DOUBLE.match(text, place):
            parts.append(_ESCAPED.sub(lambda found: _CONTROL.get(found[1], found[1]), double[1]))
            place = double.end()
        elif bare := _BARE.match(text, place):
            parts.append(_ESCAPED.sub(r"\1", bare[0]))
            place = bare.end()
        else:
            return "".join(parts), place


def _unreadable(text: str, place: int) -> UserError:
    number = text.count("\n", 0, place) + 1
    return UserError(
        f"line {number} is not KEY=VALUE", "quote a value that has spaces or quotes: MOTTO='it is'"
    )
