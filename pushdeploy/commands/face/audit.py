"""What the audit log keeps of a command line: all but secrets."""

import shlex
from collections.abc import Sequence

from pushdeploy.domain.masking import HIDDEN, masked, without_values


def audited_line(
    name: str, words: Sequence[str], *, plain_values: bool = False, raw: str = ""
) -> str:
    """The line as it could be typed, with the values of ``K=V`` words left out.

    ``raw`` is the end of the line as it was typed, where a shell is to have it so.
    """
    shown = words if plain_values else without_values(words)
    line = shlex.join([name[:80], *shown])
    return f"{line} {masked(raw)}" if raw else line


def refused_line(line: str) -> str:
    """A line that no command took: whatever may be a secret in it is left out.

    What follows a value may be a part of it, whose quotes a shell has taken.
    """
    name, space, rest = line.strip().partition(" ")
    before, value, after = masked(rest).partition(f"={HIDDEN}")
    after = f" {HIDDEN}" if after else ""
    return f"{masked(name)[:80]}{space}{before}{value}{after}"
