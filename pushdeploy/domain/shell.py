"""Shell commands whose exit code tells the truth when they were told to stop."""

from collections.abc import Sequence

_TOLD_TO_STOP = {"HUP": 1, "INT": 2, "QUIT": 3, "TERM": 15}
_TYPED = frozenset({"INT", "QUIT"})
"""What the keys of a terminal send: the program that runs there decides what they mean."""

_BY_CODE = {128 + number: f"SIG{name}" for name, number in _TOLD_TO_STOP.items()}


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


def _traps(*, terminal: bool) -> str:
    return "; ".join(
        f"trap 'exit {'$?' if terminal and name in _TYPED else 128 + number}' {name}"
        for name, number in _TOLD_TO_STOP.items()
    )
