"""What the audit log keeps of a command line: all but secrets."""

import shlex
from collections.abc import Sequence

_HIDDEN = "…"


def audited_line(name: str, words: Sequence[str], plain_values: bool) -> str:
    """The line as it could be typed, with the values of ``K=V`` words left out."""
    shown = words if plain_values else [_hidden(word) for word in words]
    return shlex.join([name, *shown])


def _hidden(word: str) -> str:
    key, equals, _ = word.partition("=")
    return f"{key}={_HIDDEN}" if equals else word
