"""A buffer keeps the bytes that a client has sent on a channel until somebody reads them.

Put in the place of paramiko's BufferedPipe, which keeps an array that it shifts at every read
(a third of an upload's time) and takes whatever a client cares to send, allowed or not.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from paramiko.buffered_pipe import PipeTimeout
from paramiko.ssh_exception import SSHException

_CTRL_C = b"\x03"


class Buffer:
    """The transport's thread feeds a buffer, and other threads read it.

    ``feed`` and ``close`` never block.

    ``interrupted`` is called, on the transport's thread, for a Ctrl-C that nobody is waiting for.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._pieces: deque[bytes] = deque()
        self._size_bytes = 0
        self._readers = 0
        self._closed = False
        self._changed = threading.Condition()
        self.interrupted: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        return self._size_bytes

    def feed(self, data: bytes) -> None:
        """Add bytes, or raise ``SSHException``, which ends the connection, past the window."""
        with self._changed:
            if self._closed:
                return
            if self._size_bytes + len(data) > self._limit_bytes:
                raise SSHException("the client sent more than its window allows")
            unawaited = _CTRL_C in data and not self._readers
            self._pieces.append(data)
            self._size_bytes += len(data)
            self._changed.notify_all()
        if unawaited:
            self.interrupted()

    def read(self, nbytes: int, timeout: float | None = None) -> bytes:
        """Return at least one byte, none at the end; ``PipeTimeout`` when no byte came in time."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            self._readers += 1
            try:
                self._wait(deadline)
            finally:
                self._readers -= 1
            return self._take(nbytes)

    def comes_within(self, seconds: float) -> bool:
        """Tell whether there is a byte to read, or the end, before so much time has passed."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._pieces) or self._closed, seconds)

    def read_ready(self) -> bool:
        return self._size_bytes > 0

    def close(self) -> None:
        """Take no more bytes; those that are there can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self, deadline: float | None) -> None:
        while not self._pieces and not self._closed:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise PipeTimeout
            self._changed.wait(left)

    def _take(self, most: int) -> bytes:
        taken: list[bytes] = []
        while self._pieces and most > 0:
            piece = self._pieces.popleft()
            if len(piece) > most:
                self._pieces.appendleft(piece[most:])
                piece = piece[:most]
            taken.append(piece)
            most -= len(piece)
        data = taken[0] if len(taken) == 1 else b"".join(taken)
        self._size_bytes -= len(data)
        return data
