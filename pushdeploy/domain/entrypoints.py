"""A command in an image with its own ENTRYPOINT is handed to that, as docker run does."""

import re
import shlex
from collections.abc import Sequence

_SHELLS = frozenset({"sh", "ash", "bash", "dash"})
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@%+-]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_OPERATORS = ";&|<>()\n"
_OF_THE_SHELL = frozenset(
    {"!", ".", "[[", "case", "cd", "command", "eval", "exec", "exit", "export", "for", "if", "set"}
    | {"source", "time", "trap", "ulimit", "umask", "unset", "until", "wait", "while", "{"}
)
"""First words that no program answers to."""


def takes_commands(entrypoint: Sequence[str]) -> bool:
    """Tell whether there is one that a command can be handed to.

    The shell form (``ENTRYPOINT ./start``, which Docker keeps as ``/bin/sh -c ./start``) takes
    none: what stands behind its script is dropped.
    """
    return bool(entrypoint) and not (_is_shell(entrypoint) and len(entrypoint) > 2)


def through(entrypoint: Sequence[str], command: str) -> str:
    """Write a shell's line by which ``command`` reaches the entrypoint, with its variables
    replaced.

    Word by word, as of Docker and Dokku; what only a shell can do becomes a command of a shell,
    which an entrypoint that ends in ``exec "$@"`` starts.
    """
    if not takes_commands(entrypoint):
        return command
    if _is_shell(entrypoint):
        return shlex.join([*entrypoint, command])
    if _needs_shell(command):
        return shlex.join([*entrypoint, "/bin/sh", "-c", command])
    return f"{shlex.join(entrypoint)} {command}"


def plain_words(entrypoint: Sequence[str], command: str) -> Sequence[str] | None:
    """Return the words to hand to the entrypoint where no shell would change any; else None.

    An image with an entrypoint may hold no shell at all.
    """
    words = command.split()
    plain = all(_PLAIN.fullmatch(word) for word in words) and not _needs_shell(command)
    by_word = takes_commands(entrypoint) and not _is_shell(entrypoint)
    return words if words and plain and by_word else None


def _is_shell(entrypoint: Sequence[str]) -> bool:
    """``sh -c``, and whatever else a shell that waits for its script is started with."""
    if len(entrypoint) < 2 or entrypoint[0].rpartition("/")[2] not in _SHELLS:
        return False
    return bool(re.fullmatch(r"-[a-z]*c", entrypoint[1]))


def _needs_shell(command: str) -> bool:
    """For operators, and for a first word that is the shell's own; variables are no reason."""
    lexer = shlex.shlex(command, posix=False, punctuation_chars=_OPERATORS)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    try:
        words = list(lexer)
    except ValueError:
        return True
    first = words[0] if words else ""
    operators = any(set(word) <= set(_OPERATORS) for word in words)
    return operators or "`" in command or first in _OF_THE_SHELL or bool(_ASSIGNMENT.match(first))
