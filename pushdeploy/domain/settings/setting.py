"""A setting of an app is described once: by the metadata of the field that holds its value.

The default of the field is that of the setting.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.units import parse_bytes, parse_seconds, show_bytes, show_seconds

HOUR = 3600
DAY = 24 * HOUR

_KEY = "setting"
_BRANCH = re.compile(r"(?!.*(\.\.|//|@\{|\.lock$|\.$|/$))[A-Za-z0-9_][A-Za-z0-9._/@+-]{0,199}")

Metadata = Mapping[str, "Setting"]


class Affects(StrEnum):
    """Names what has to follow when a setting is changed, by when that happens.

    The route follows at once, tasks when they are started next. ``NOTHING`` follows a setting that
    is looked up each time it is needed.
    """

    ROUTE = "at once"
    TASKS = "next start"
    RELEASE = "next release"
    NOTHING = "next use"


@dataclass(frozen=True, slots=True)
class Setting:
    """``name`` is what people type, ``about`` a line of help, ``unset`` the word for no value.

    ``show`` gives what ``parse`` reads back; ``parse`` raises ``UserError``.
    """

    name: str
    about: str
    affects: Affects
    parse: Callable[[str], Any]
    show: Callable[[Any], str] = str
    unset: str = ""


def described(metadata: Mapping[str, Any]) -> Setting | None:
    """The setting that a field with this metadata holds; None for a field that holds another."""
    return metadata.get(_KEY)


def seconds(name: str, about: str, affects: Affects, least: int, most: int) -> Metadata:
    parse = _between(least, most, parse_seconds, show_seconds)
    return {_KEY: Setting(name, about, affects, parse, show_seconds)}


def size(name: str, about: str, affects: Affects, least: int, most: int) -> Metadata:
    parse = _between(least, most, parse_bytes, show_bytes)
    return {_KEY: Setting(name, about, affects, parse, show_bytes)}


def switch(name: str, about: str, affects: Affects) -> Metadata:
    return {_KEY: Setting(name, about, affects, parse_switch, _show_switch)}


def choice(name: str, about: str, affects: Affects, kind: str, words: Sequence[str]) -> Metadata:
    """One of ``words``, each a ``kind``."""

    def parse(text: str) -> str:
        if text not in words:
            raise UserError(f"{text[:40]!r} is no {kind}", f"write {', or '.join(words)}")
        return text

    return {_KEY: Setting(name, about, affects, parse)}


def branch(name: str, about: str, affects: Affects, unset: str) -> Metadata:
    return {_KEY: Setting(name, about, affects, _parse_branch, lambda set_: set_ or "", unset)}


def words(
    name: str, about: str, affects: Affects, parse: Callable[[str], Sequence[str]]
) -> Metadata:
    """Several words between commas."""
    return {_KEY: Setting(name, about, affects, parse, ",".join)}


def parse_switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise UserError(f"{text[:40]!r} is neither on nor off", "write on, or off")
    return text == "on"


def _show_switch(on: bool) -> str:
    return "on" if on else "off"


def _between(
    least: int, most: int, parse: Callable[[str], int], show: Callable[[int], str]
) -> Callable[[str], int]:
    def checked(text: str) -> int:
        amount = parse(text)
        if not least <= amount <= most:
            raise UserError(f"{text} is too much or too little", f"{show(least)} to {show(most)}")
        return amount

    return checked


def _parse_branch(text: str) -> str:
    name = text.removeprefix("refs/heads/")
    if not _BRANCH.fullmatch(name):
        raise UserError(f"{text[:80]!r} is not a branch", "give its name, such as main")
    return name
