"""The port of a one-off container's input and output."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WindowSize:
    """A terminal has so many columns and rows."""

    columns: int = 80
    rows: int = 24


class Streams(Protocol):
    """The input and the output of a one-off go here: an ssh channel, or a release's record."""

    terminal: str | None
    """TERM of the client's pty, None without one."""

    def read(self, most: int = 65536) -> bytes:
        """The next bytes of input, ``most`` of them at the most; blocks; empty at the end."""

    def write(self, data: bytes) -> None:
        """Write the whole of ``data``, and drop it once the client has gone."""

    def write_error(self, data: bytes) -> None: ...
    def on_resize(self, resized: Callable[[WindowSize], None]) -> None:
        """Call ``resized`` with the present size and at each change, not on a reader's thread."""
