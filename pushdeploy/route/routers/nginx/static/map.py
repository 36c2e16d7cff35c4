"""A map of nginx: a variable whose value follows from another one."""

from collections.abc import Sequence
from dataclasses import dataclass

PUBLIC = "$pushdeploy_stem"
"""The address that a visitor asked for: decoded, without a slash at its end."""


@dataclass(frozen=True, slots=True)
class Map:
    """``entries`` are pairs of a source and a value, quoted as nginx reads them.

    Where nginx finds no exact source, patterns are tried in turn.
    """

    name: str
    entries: Sequence[tuple[str, str]]
    default: str = '""'
    source: str = PUBLIC

    @property
    def variable(self) -> str:
        return f"${self.name}"


def part(place: int) -> str:
    """The variable for one part of the address, as the visitor encoded it; the first is 1."""
    return f"${{pushdeploy_part_{place}}}"


def rest(place: int) -> str:
    """The variable for all of the address from a part on."""
    return f"${{pushdeploy_rest_{place}}}"
