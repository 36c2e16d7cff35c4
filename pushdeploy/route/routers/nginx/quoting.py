"""Text that others have written stands in nginx's files in quotes, and never as a directive.

In quotes nginx reads a backslash with what follows, and ``$`` as the beginning of a variable, for
which it knows no other way of writing. So that one stands in a variable of ours.
"""

import re

DOLLAR = "${pushdeploy_dollar}"
"""Its value is a dollar sign: templates/nginx/shared/static.conf."""

_NEVER = re.compile(r"[\x00-\x1f\x7f]")


def quoted(text: str) -> str:
    """The very text, wherever nginx reads a value in which variables may stand."""
    return f'"{inner(text)}"'


def quoted_key(text: str) -> str:
    """The very text as the source of a map: no variable stands there, and ``~`` is no pattern."""
    return f'"{_escaped(text)}"' if text.startswith("/") else f'"\\\\{_escaped(text)}"'


def quoted_pattern(expression: str) -> str:
    """A regular expression as the source of a map, with regard to case."""
    return f'"~{_escaped(expression)}"'


def inner(text: str) -> str:
    """The very text as a piece of a value in quotes, to which variables are added."""
    return _escaped(text).replace("$", DOLLAR)


def _escaped(text: str) -> str:
    """Raise ``ValueError`` for what cannot stand in a line of nginx's files."""
    if _NEVER.search(text):
        raise ValueError(f"{text[:80]!r} has a control character")
    return text.replace("\\", "\\\\").replace('"', '\\"')
