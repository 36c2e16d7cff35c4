"""The audit log keeps these lines of what was typed: all of them but secrets."""

import shlex
from collections.abc import Sequence

from pushdeploy.domain.likely_secrets import HIDDEN, masked, without_values

_SECRET = ("auth", "config")
"""Behind these a secret is typed, by mistake or not."""


def audited_line(
    name: str, words: Sequence[str], *, plain_values: bool = False, raw: str = ""
) -> str:
    """The line as it could be typed, with the values of ``K=V`` words left out.

    ``raw`` is the end of the line as it was typed, where a shell is to have it so.
    """
    shown = words if plain_values else without_values(words)
    line = shlex.join([name[:80], *shown])
    return f"{line} {masked(raw)}" if raw else line


def refused_line(line: str, *, known: bool = False) -> str:
    """A line that no command took: its name, and the rest where it cannot be a secret.

    ``config:set shop TOKEN s3cret`` and ``cofnig:set …`` have values in places where nobody would
    look for one.
    """
    name, _, rest = line.strip().partition(" ")
    shown = masked(rest) if known and not name.startswith(_SECRET) else HIDDEN
    return f"{masked(name)[:80]} {shown}" if rest else masked(name)[:80]
