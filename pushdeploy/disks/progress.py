"""Counts the copied files of a disk, and tells how far a copy is where that takes a while."""

import time
from collections.abc import Callable

from pushdeploy.domain.sizes import about_bytes

_EVERY_SECONDS = 2.0


class CopyProgress:
    """A copy counts its files here, and tells a person now and then how far it is."""

    def __init__(self, disk: str, line: Callable[[str], None]) -> None:
        self.size_bytes = 0
        self._disk = disk
        self._line = line
        self._copied_bytes = 0
        self._copied = 0
        self._kept = 0
        self._told = time.monotonic()

    def note(self, text: str) -> None:
        """Tell a person a fact about a file that they should know."""
        self._line(f"{self._disk}: {text}")

    def copied(self, size_bytes: int) -> None:
        self._copied += 1
        self._copied_bytes += size_bytes
        self.size_bytes += size_bytes
        if time.monotonic() - self._told >= _EVERY_SECONDS:
            self._told = time.monotonic()
            self.note(f"{about_bytes(self._copied_bytes)} so far")

    def kept(self, size_bytes: int) -> None:
        """Count a file that did not have to be copied."""
        self._kept += 1
        self.size_bytes += size_bytes

    def summary(self) -> None:
        total, size = self._copied + self._kept, about_bytes(self._copied_bytes)
        self.note(f"{self._copied} of {total} files copied, {size}")
