"""A person reads lines while work is done for them, and sinks take these lines."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pushdeploy.domain.errors import PushdeployError, StageFailed

Sink = Callable[[str], None]
"""Takes one line without its newline."""

Timed = Callable[[str, float], None]
"""Takes a step's title and its seconds when it has ended well."""

_REMEMBERED = 200
"""How many lines back something counts as just shown."""


class Output:
    """An output gives lines of the face to every sink in order. Thread-safe.

    ``-----> Step``, ``=====> Headline``, seven spaces for detail, `` !     `` for trouble.
    ``trouble_sink``, where given, takes the trouble lines instead of the others.
    """

    def __init__(self, *sinks: Sink, trouble_sink: Sink | None = None) -> None:
        self._sinks = sinks
        self._trouble_sink = trouble_sink
        self._timed: Timed | None = None
        self._lock = threading.Lock()
        self._shown: deque[str] = deque(maxlen=_REMEMBERED)

    def also(self, sink: Sink, timed: Timed | None = None) -> "Output":
        """Return an output that writes here and to ``sink``, and tells ``timed`` of its steps."""
        both = Output(*self._sinks, sink)
        both._timed = timed or self._timed
        if self._trouble_sink is not None:
            both._trouble_sink = _both(self._trouble_sink, sink)
        both._lock, both._shown = self._lock, self._shown
        return both

    def prefixed(self, prefix: str) -> "Output":
        """Return an output whose lines come here behind ``prefix``; trouble stays trouble."""
        return Output(
            lambda line: self._write(prefix + line, trouble=False),
            trouble_sink=lambda line: self._write(prefix + line, trouble=True),
        )

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print ``-----> title``; the step's time follows when it ends well."""
        self.line(f"-----> {title}")
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        if self._timed is not None:
            self._timed(title, seconds)
        self.detail(f"done in {duration(seconds)}")

    def headline(self, text: str) -> None:
        self.line(f"=====> {text}")

    def detail(self, text: str) -> None:
        for line in text.splitlines() or [""]:
            self.line(f"       {line}".rstrip())

    def trouble(self, text: str) -> None:
        for line in text.splitlines() or [""]:
            self._write(f" !     {line}".rstrip(), trouble=True)

    def line(self, text: str) -> None:
        """Print a line as it is; an app's own output comes this way."""
        self._write(text, trouble=False)

    def failure(self, error: PushdeployError) -> None:
        """Print the failure, its last lines, the release that still serves, and the next
        command to type.

        A log that has just been shown, as it came, is not quoted once more.
        """
        self.trouble(error.message)
        if isinstance(error, StageFailed):
            self._quote("", error.details)
            if any(map(self._is_news, error.log_tail)):
                self._quote("the end of its log:", error.log_tail)
        for text in (error.serving, error.hint):
            if text:
                self.trouble(text)

    def _quote(self, heading: str, lines: Sequence[str]) -> None:
        if heading:
            self.trouble(heading)
        for line in lines:
            self.trouble(f"    {line}")

    def _is_news(self, line: str) -> bool:
        return bool(line.strip()) and line.strip() not in self._shown

    def _write(self, text: str, *, trouble: bool) -> None:
        with self._lock:
            self._shown.append(text.strip())
            if trouble and self._trouble_sink is not None:
                self._trouble_sink(text)
                return
            for sink in self._sinks:
                sink(text)


class Quiet(Output):
    """A quiet output takes everything and shows nothing."""

    def __init__(self) -> None:
        super().__init__()


def _both(one: Sink, other: Sink) -> Sink:
    def write(line: str) -> None:
        one(line)
        other(line)

    return write


def duration(seconds: float) -> str:
    """Write seconds as ``0.42s``, ``12.3s``, ``3m 20s`` or ``2h 05m``."""
    if round(seconds, 2) < 10:
        return f"{seconds:.2f}s"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"


def columns(rows: Sequence[Sequence[Any]], head: Sequence[str] = ()) -> list[str]:
    """Lay rows out in plain columns, two spaces apart, the last one not padded."""
    table = [[str(cell) for cell in row] for row in ([head] if head else []) + list(rows)]
    if not table:
        return []
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
