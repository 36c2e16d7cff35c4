"""The command line of an ssh request, taken apart once, as Dokku's clients write it too."""

import io
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from pushdeploy.domain.errors import UserError

_COMMANDS = {"--help": "help", "-h": "help", "--version": "version", "-v": "version"}
"""Flags that are commands in disguise."""

_QUIETLY_TAKEN = frozenset({"--", "--quiet", "--trace", "--verbose"})
"""Flags of Dokku's clients that change nothing here."""


@dataclass(frozen=True, slots=True)
class Line:
    """``rest`` is what stood behind the command, as it was typed; ``app`` and ``force`` before it.

    Nothing typed at all is ``help --short``.
    """

    name: str
    rest: str = ""
    app: str | None = None
    force: bool = False


def parse_line(text: str) -> Line:
    """The command and what stands before it. ``UserError`` for flags that nobody knows."""
    app: str | None = None
    force, named = False, False
    words = split_words(text)
    for word, rest in words:
        if word in {"--app", "-a"}:
            app = next(words, ("", ""))[0] or None
        elif word.startswith("--app="):
            app = word.removeprefix("--app=")
        elif word == "--force":
            force = True
        elif word in _COMMANDS:
            return Line(_COMMANDS[word], rest)
        elif word == "dokku" and not named:
            named = True
        elif not word.startswith("-"):
            return _named(word, rest, app, force)
        elif word not in _QUIETLY_TAKEN:
            raise UserError(f"{word} is not known before a command", "write it after the command")
    return Line("help", "--short")


def split_words(text: str) -> Iterator[tuple[str, str]]:
    """Each word with its POSIX quoting resolved, and what follows it as it was typed.

    ``UserError`` at a word whose quotes do not match, and not before.
    """
    source = io.StringIO(text)
    lexer = shlex.shlex(source, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    while (word := _next_word(lexer)) is not None:
        yield word, text[source.tell() :]


def _next_word(lexer: shlex.shlex) -> str | None:
    try:
        return lexer.get_token()
    except ValueError as error:
        raise UserError(
            "the quotes of the command line do not match",
            "your shell takes one pair off: ssh deploy \"config:set shop MOTTO='it is on'\"",
        ) from error


def _named(name: str, rest: str, app: str | None, force: bool) -> Line:
    noun, colon, verb = name.partition(":")
    if colon and verb == "help":
        return Line("help", shlex.quote(noun))
    return Line(name, rest, app, force)
