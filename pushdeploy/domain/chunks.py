"""Bytes that come in chunks are read as from a file."""

from collections.abc import Iterable
from typing import Protocol


class Readable(Protocol):
    """Bytes are read from it: from a pipe, a file, a response."""

    def read(self, size: int, /) -> bytes: ...


class ChunkReader:
    """Lets chunks be read as a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, empty at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        data, self._rest = self._rest[:size], self._rest[size:]
        return data
