"""A line now and then tells what apt, dpkg and mmdebstrap are at while a stack is made."""

import time
from collections.abc import Callable

from pushdeploy.domain.ports.output import Output

_EVERY_SECONDS = 2.0
_MOST_CHARACTERS = 65


class Progress:
    """Tells a line of a long command, and no other for two seconds: nobody waits in silence."""

    def __init__(self, output: Output, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._due = 0.0

    def hear(self, line: str) -> bool:
        """Always True: the command goes on."""
        said = in_words(line)
        now = self._clock()
        if said and now >= self._due:
            self._output.detail(said[:_MOST_CHARACTERS])
            self._due = now + _EVERY_SECONDS
        return True


def in_words(line: str) -> str:
    """A few words for a line that says how far it is; empty for all others."""
    match line.split():
        case [get, _place, *rest] if get.startswith("Get:"):
            return f"fetching {' '.join(rest)}"
        case ["Unpacking" | "Setting" as verb, *rest]:
            return f"{verb.lower()} {' '.join(rest).removesuffix('...').strip()}"
        case ["I:", *rest]:
            return " ".join(rest).removesuffix("...")
    return ""
