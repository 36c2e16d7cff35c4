"""A setting of an app is described once: by the metadata of the field that holds its value.

The default of the field is that of the setting.
"""

from collections.abc import Callable, Iterator
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.units import parse_bytes, parse_seconds, show_bytes, show_seconds

HOUR = 3600
DAY = 24 * HOUR

_KEY = "setting"
_Value = TypeVar("_Value")


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


def described(section: Any) -> Iterator[tuple[Setting, "Field[Any]"]]:
    """The settings of a section, with the fields that hold them."""
    return ((held.metadata[_KEY], held) for held in fields(section) if _KEY in held.metadata)


def setting(default: _Value, description: Setting) -> _Value:
    """A field that holds the setting."""
    return field(default=default, metadata={_KEY: description})


def seconds(
    name: str, about: str, default: int, least: int, most: int, affects: Affects = Affects.NOTHING
) -> int:
    parse = _between(least, most, parse_seconds, show_seconds)
    return setting(default, Setting(name, about, affects, parse, show_seconds))


def size(name: str, about: str, default: int, least: int, most: int, affects: Affects) -> int:
    parse = _between(least, most, parse_bytes, show_bytes)
    return setting(default, Setting(name, about, affects, parse, show_bytes))


def switch(name: str, about: str, affects: Affects) -> bool:
    """Off by default."""
    description = Setting(name, about, affects, parse_switch, lambda on: "on" if on else "off")
    return setting(False, description)


def parse_switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise UserError(f"{text[:40]!r} is neither on nor off", "write on, or off")
    return text == "on"


def without_value(key: str) -> UserError:
    """The error of a word that names a setting and gives it no value."""
    return UserError(f"{key} has no value", f"write {key}=VALUE; {key}= is the default")


def _between(
    least: int, most: int, parse: Callable[[str], int], show: Callable[[int], str]
) -> Callable[[str], int]:
    def checked(text: str) -> int:
        amount = parse(text)
        if not least <= amount <= most:
            raise UserError(f"{text} is too much or too little", f"{show(least)} to {show(most)}")
        return amount

    return checked
