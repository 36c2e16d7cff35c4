"""The command line of an ssh request, taken apart once, as Dokku's clients write it too."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.errors import UserError

_COMMANDS = {"--help": "help", "-h": "help", "--version": "version", "-v": "version"}
"""Flags that are commands in disguise."""

_QUIETLY_TAKEN = frozenset({"--", "--quiet", "--trace", "--verbose"})
"""Flags of Dokku's clients that change nothing here."""


@dataclass(frozen=True, slots=True)
class Line:
    """``app`` and ``force`` stood before the command; nothing typed at all is ``help --short``."""

    name: str
    words: Sequence[str] = ()
    app: str | None = None
    force: bool = False


def parse_line(text: str) -> Line:
    """POSIX quoting, resolved exactly once. ``UserError`` when the quotes do not match."""
    words = _split(text)
    app, force, named = None, False, False
    while words and (words[0].startswith("-") or (words[0] == "dokku" and not named)):
        word = words.pop(0)
        if word in {"--app", "-a"}:
            app = words.pop(0) if words else None
        elif word.startswith("--app="):
            app = word.removeprefix("--app=")
        elif word == "--force":
            force = True
        elif word in _COMMANDS:
            return Line(_COMMANDS[word], tuple(words))
        elif word == "dokku":
            named = True
        elif word not in _QUIETLY_TAKEN:
            raise UserError(f"{word} is not known before a command", "write it after the command")
    if not words:
        return Line("help", ("--short",))
    return _named(words[0], tuple(words[1:]), app, force)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UserError(
            "the quotes of the command line do not match",
            "your shell takes one pair off: ssh deploy \"config:set shop MOTTO='it is on'\"",
        ) from error


def _named(name: str, words: Sequence[str], app: str | None, force: bool) -> Line:
    noun, colon, verb = name.partition(":")
    if colon and verb == "help":
        return Line("help", (noun,))
    return Line(name, words, app, force)
