"""The line that came over ssh is taken apart once, also as clients of Dokku write it."""

import io
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pushdeploy.domain.errors import UserError

APP_FLAGS = frozenset({"-a", "--app"})

_COMMANDS = {"--help": "help", "-h": "help", "--version": "version", "-v": "version"}
"""Flags that are commands in disguise."""

_QUIETLY_TAKEN = frozenset({"--", "--quiet", "--trace", "--verbose"})
"""Flags of Dokku's clients that change nothing here."""


_PROGRAMS = frozenset({"dokku", "heroku"})
"""Whose commands people are used to: they may stand before ours."""


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
        if word in APP_FLAGS:
            app = _same_app(app, _name_after(word, next(words, ("", ""))[0]))
        elif word.startswith("--app="):
            app = _same_app(app, _name_after("--app", word.removeprefix("--app=")))
        elif word == "--force":
            force = True
        elif word in _COMMANDS:
            return Line(_COMMANDS[word], rest)
        elif word in _PROGRAMS and not named:
            named = True
        elif not word.startswith("-"):
            return _named(word, rest, app, force)
        elif word not in _QUIETLY_TAKEN:
            raise UserError(f"{word} is not known before a command", "write it after the command")
    return Line("help", "--short")


def named_app(app: str | None, words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The app that ``-a APP`` or ``--app APP`` names among ``words``, and the other words.

    ``app`` stood before the command. What follows ``--`` is left as it is. ``UserError`` where two
    apps are named, or none after the flag.
    """
    rest: list[str] = []
    left = iter(words)
    for word in left:
        if word in APP_FLAGS:
            app = _same_app(app, _name_after(word, next(left, "")))
        elif word.startswith("--app="):
            app = _same_app(app, _name_after("--app", word.removeprefix("--app=")))
        else:
            rest.append(word)
            if word == "--":
                break
    return app, [*rest, *left]


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


def _name_after(flag: str, name: str) -> str:
    if not name:
        raise UserError(f"{flag} names no app", f"write {flag} APP")
    return name


def _same_app(app: str | None, name: str) -> str:
    if app is not None and app != name:
        raise UserError(f"two apps are named: {app} and {name}", "name one")
    return name


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
