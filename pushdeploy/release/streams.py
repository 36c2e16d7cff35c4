"""Turns the release command's output into lines, and keeps the last ones for a failure."""

from collections import deque
from collections.abc import Callable, Sequence

from pushdeploy.domain.ports.streams import WindowSize

_TAIL_LINES = 200
_LONGEST_LINE = 8192


class LineStreams:
    """These streams have no input and no terminal, and turn bytes into lines for ``sink``.

    Written to by one thread at a time, as the scheduler does.
    """

    terminal: str | None = None

    def __init__(self, sink: Callable[[str], None]) -> None:
        self._sink = sink
        self._rest = b""
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def read(self, most: int = 65536) -> bytes:
        """Return nothing, for there is no input."""
        del most
        return b""

    def write(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit(line)
        while len(self._rest) > _LONGEST_LINE:
            self._emit(self._rest[:_LONGEST_LINE])
            self._rest = self._rest[_LONGEST_LINE:]

    def write_error(self, data: bytes) -> None:
        self.write(data)

    def on_resize(self, resized: Callable[[WindowSize], None]) -> None:
        """Do nothing, for there is no terminal."""

    def end(self) -> None:
        """Give out a last line that had no newline."""
        if self._rest:
            self._emit(self._rest)
            self._rest = b""

    def tail(self) -> Sequence[str]:
        """Return the last 200 lines, oldest first."""
        return tuple(self._tail)

    def _emit(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self._tail.append(text)
        self._sink(text)
