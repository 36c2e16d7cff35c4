"""Shell commands whose exit code tells the truth when they were told to stop."""

import signal
from collections.abc import Sequence
from contextlib import suppress

_TOLD_TO_STOP = {"HUP": 1, "INT": 2, "QUIT": 3, "TERM": 15}
_TYPED = frozenset({"INT", "QUIT"})
"""What the keys of a terminal send: the program that runs there decides what they mean."""

_BY_SIGNAL = 128
"""A shell or an init whose child was killed exits with this and the signal's number."""

_BY_CODE = {_BY_SIGNAL + number: f"SIG{name}" for name, number in _TOLD_TO_STOP.items()}


def script(command: str, *, terminal: bool = False) -> str:
    """``command`` in a shell that outlives a signal for as long as its child needs to end well.

    A shell without a trap dies at once and takes the container with it, in the middle of what
    the child is doing. The trap runs when the child has ended; what follows it (``&& next``) does
    not run any more. So the exit code is the signal's, 143 for SIGTERM, although the child itself
    may say 0. A handler, unlike an ignored signal, is not inherited. On a ``terminal`` ^C is the
    child's own affair, and so is what it then ends with.
    """
    return f"{_traps(terminal=terminal)}\n{command}"


def watched(command: Sequence[str], *, terminal: bool = False) -> Sequence[str]:
    """The same for a program with its arguments, whatever it makes of the signal by itself.

    Neither a shell that traps signals nor one that ``exec`` has replaced can hide it.
    """
    return ["/bin/sh", "-c", script('"$@"', terminal=terminal), "sh", *command]


def signal_of(exit_code: int) -> str | None:
    """The signal that told a command to stop, ``SIGTERM`` for 143; None for any other code."""
    return _BY_CODE.get(exit_code)


def signal_name(exit_code: int) -> str:
    """The signal that ended a command, ``SIGSEGV`` for 139; empty where the code is no signal's."""
    with suppress(ValueError):
        return signal.Signals(exit_code - _BY_SIGNAL).name
    return ""


def _traps(*, terminal: bool) -> str:
    return "; ".join(
        f"trap 'exit {'$?' if terminal and name in _TYPED else _BY_SIGNAL + number}' {name}"
        for name, number in _TOLD_TO_STOP.items()
    )
