"""People write times and sizes with units: ``90``, ``2m``, ``1h``; ``512k``, ``50m``, ``2g``."""

import re
from collections.abc import Mapping

from pushdeploy.domain.errors import UserError

_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_BYTES = {"g": 1024**3, "m": 1024**2, "k": 1024, "b": 1}
_AMOUNT = re.compile(r"([0-9]{1,12})([a-z]?)")


def parse_seconds(text: str) -> int:
    return _parse(text, _SECONDS, "a time such as 90s, 5m or 2h")


def parse_bytes(text: str) -> int:
    return _parse(text.lower().removesuffix("b") or text, _BYTES, "a size such as 512k, 50m or 2g")


def show_seconds(seconds: int) -> str:
    """Write seconds in the form that ``parse_seconds`` reads back."""
    return _show(seconds, _SECONDS)


def show_bytes(size_bytes: int) -> str:
    """Write a size in the form that ``parse_bytes`` reads back."""
    return _show(size_bytes, _BYTES)


def _parse(text: str, units: Mapping[str, int], wanted: str) -> int:
    match = _AMOUNT.fullmatch(text.lower())
    factor = units.get(match.group(2) or min(units, key=units.__getitem__)) if match else None
    if match is None or factor is None:
        raise UserError(f"{text[:40]!r} is not {wanted}", "a plain number has no unit")
    return int(match.group(1)) * factor


def _show(amount: int, units: Mapping[str, int]) -> str:
    for unit, factor in units.items():
        if amount and amount % factor == 0:
            return f"{amount // factor}{unit}"
    return "0"
