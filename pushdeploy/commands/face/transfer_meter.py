"""A meter tells once a second how far a transfer is, where it takes longer than that."""

import time
from collections.abc import Callable

from pushdeploy.domain.sizes import about_bytes
from pushdeploy.output import duration

_EVERY_SECONDS = 1.0


class Meter:
    """``total_bytes`` is what there is to come, None where nobody knows."""

    def __init__(
        self,
        line: Callable[[str], None],
        total_bytes: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bytes = 0
        self._line = line
        self._total_bytes = total_bytes
        self._clock = clock
        self._begun = self._told = clock()

    def count(self, data: bytes) -> bytes:
        """The same bytes, counted."""
        self.bytes += len(data)
        if self._clock() - self._told >= _EVERY_SECONDS:
            self._told = self._clock()
            self._line(f"{self._so_far()}, {self._rate()}")
        return data

    def summary(self) -> str:
        """``84.2 MB in 1.20s, 70.2 MB/s``."""
        return f"{about_bytes(self.bytes)} in {duration(self._seconds)}, {self._rate()}"

    @property
    def _seconds(self) -> float:
        return self._clock() - self._begun

    def _so_far(self) -> str:
        so_far = about_bytes(self.bytes)
        return (
            so_far if self._total_bytes is None else f"{so_far} of {about_bytes(self._total_bytes)}"
        )

    def _rate(self) -> str:
        return f"{about_bytes(int(self.bytes / max(self._seconds, 0.001)))}/s"
