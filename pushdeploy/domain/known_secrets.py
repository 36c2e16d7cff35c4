"""Leaves values that are known to be secret out of what builds print: others read and keep that.

What nobody has told us is a matter of ``likely_secrets``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

HIDDEN = "****"
_FEWEST_CHARACTERS = 6
"""Shorter ones stand in too many words that mean something else."""

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|DSN|COOKIE|SALT|PRIVATE")
_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/@]*:([^\s/@]+)@", re.IGNORECASE)


def secret_values(variables: Mapping[str, str]) -> Sequence[str]:
    """Values of variables that are named like secrets, and the passwords in addresses of any."""
    named = (value for name, value in variables.items() if _SECRET_NAME.search(name.upper()))
    within = (found for value in variables.values() for found in _PASSWORD.findall(value))
    return hideable([*named, *within])


def hideable(values: Iterable[str]) -> Sequence[str]:
    """The lines of values that are long enough to be recognized, the longest first."""
    lines = {line.strip() for value in values for line in value.splitlines()}
    return sorted((line for line in lines if len(line) >= _FEWEST_CHARACTERS), key=_longest)


def without(text: str, values: Iterable[str]) -> str:
    """A line of output with ``****`` in place of each value."""
    for value in values:
        text = text.replace(value, HIDDEN)
    return text


def _longest(line: str) -> tuple[int, str]:
    return -len(line), line
