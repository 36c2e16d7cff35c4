"""Stored JSON is read piece by piece: what is damaged, or of another shape, costs that alone."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from pushdeploy.domain.errors import UserError

K = TypeVar("K")
V = TypeVar("V")
E = TypeVar("E", bound=StrEnum)

ODD = (TypeError, ValueError, AttributeError, KeyError, UserError)
"""What code raises that is given another type or value than it was written for."""


class Reading:
    """A row is read. ``lost`` names what could not be: ``formation``, or ``formation.web``."""

    def __init__(self) -> None:
        self.lost: list[str] = []

    def mapping(self, name: str, stored: object) -> dict[str, Any]:
        """Return the object that was stored; an empty one where it is none."""
        if isinstance(stored, dict):
            return stored
        self.lost.append(name)
        return {}

    def entries(
        self, name: str, stored: object, key: Callable[[str], K], value: Callable[[Any], V]
    ) -> dict[K, V]:
        """Return the entries that ``key`` and ``value`` take, without the others."""
        found: dict[K, V] = {}
        for each, held in self.mapping(name, stored).items():
            try:
                found[key(each)] = value(held)
            except ODD:
                self.lost.append(f"{name}.{each}")
        return found

    def whole(self, name: str, read: Callable[[], V], instead: V) -> V:
        """Return what ``read`` makes of it, or ``instead`` where any part of it is damaged."""
        try:
            return read()
        except ODD:
            self.lost.append(name)
            return instead

    def one_of(self, name: str, kind: type[E], stored: object, instead: E) -> E:
        """Return the member of ``kind`` that was stored, or ``instead``."""
        return self.whole(name, lambda: kind(str(stored)), instead)


def text(stored: object) -> str:
    if not isinstance(stored, str):
        raise TypeError(f"{stored!r} is no text")
    return stored


def texts(stored: object) -> dict[str, str]:
    """Return an object whose values are all text; a part of one is worth nothing."""
    if not isinstance(stored, dict):
        raise TypeError("it is no object")
    return {key: text(value) for key, value in stored.items()}


def count(stored: object) -> int:
    if not isinstance(stored, int) or isinstance(stored, bool) or stored < 0:
        raise ValueError(f"{stored!r} is no count")
    return stored
