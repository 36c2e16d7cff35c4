"""Commands see a session channel from its opening to its exit status."""

import re
import threading
from collections.abc import Callable
from contextlib import suppress

from paramiko.channel import Channel
from paramiko.ssh_exception import SSHException

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.ports.streams import WindowSize
from pushdeploy.ssh.buffer import Buffer
from pushdeploy.ssh.callbacks import CallbackQueue

_PIECE_BYTES = 32_000
_STALLED_SECONDS = 300.0
"""After so long a client that does not read what it asked for counts as gone."""

_TERMINAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_LOST = (OSError, EOFError, SSHException)


class SessionChannel:
    """A ``Session`` whose methods marked (transport) run on the transport's thread and never block.

    What is marked (transport) runs on the transport's thread and never blocks.
    """

    def __init__(
        self, channel: Channel, by: KeyName, check_key: Callable[[], None] = lambda: None
    ) -> None:
        """``check_key`` raises when the key ``by`` may not use this server any more."""
        self.by = by
        self.check_key = check_key
        self.cancellation = Cancellation(check_key)
        self.terminal: str | None = None
        self._channel = channel
        self._input = Buffer(2 * channel.in_window_size)
        self._size = WindowSize()
        self._resized: Callable[[WindowSize], None] | None = None
        self._resizing = threading.Lock()
        self._writing = threading.Lock()
        self._raw = False
        self._gone = False
        self._finished = False
        self._callbacks = CallbackQueue(f"ssh events of {by}")
        channel.in_buffer = self._input  # type: ignore[assignment]
        channel.in_stderr_buffer = Buffer(0)  # type: ignore[assignment]
        channel.settimeout(_STALLED_SECONDS)

    def read(self, most: int = 65536) -> bytes:
        while not self._gone:
            try:
                return self._channel.recv(most)
            except TimeoutError:  # the channel's time-out is meant for writing
                continue
            except _LOST:
                self.lost()
        return b""

    def sends_within(self, seconds: float) -> bool:
        return self._input.comes_within(seconds)

    def write(self, data: bytes) -> None:
        self._send(self._channel.send, self._translated(data))

    def write_error(self, data: bytes) -> None:
        """Write to the client's stderr, or to its terminal, which has one stream only."""
        send = self._channel.send_stderr if self.terminal is None else self._channel.send
        self._send(send, self._translated(data))

    def on_resize(self, resized: Callable[[WindowSize], None]) -> None:
        """Call ``resized`` at each change of a terminal, and never without a terminal."""
        if self.terminal is not None:
            self._resized = resized
            self._tell_size()

    def raw_mode(self) -> None:
        self._raw = True

    def open_terminal(self, name: bytes, columns: int, rows: int) -> None:
        """Note the client's terminal and its size (transport)."""
        text = name.decode("ascii", "replace")
        self.terminal = text if _TERMINAL.fullmatch(text) else "xterm"
        self._size = _size(columns, rows)
        self._input.interrupted = self._interrupted

    def resize(self, columns: int, rows: int) -> None:
        """Note the terminal's new size, and tell the command (transport)."""
        self._size = _size(columns, rows)
        if self._resized is not None:
            self._callbacks.post(self._tell_size)

    def signalled(self, name: str) -> None:
        """Cancel at INT, TERM and their like; ``name`` is the client's word (transport)."""
        if name in {"HUP", "INT", "KILL", "QUIT", "TERM"}:
            self._cancel(f"SIG{name}")

    def lost(self, reason: str = "the client went away") -> None:
        """Note that nobody reads or writes at the other end any more (transport)."""
        self._gone = True
        if not self._finished:
            self._cancel(reason)

    def revoke(self, reason: str) -> None:
        """Let the client send nothing more; it still hears the end of its command."""
        self._input.close()
        self._cancel(reason)

    def finish(self, exit_status: int) -> None:
        """Send exit status, end of file and close in this order, unless the client has closed."""
        self._finished = True
        with suppress(*_LOST):
            if not self._gone:
                self._channel.send_exit_status(exit_status if 0 <= exit_status <= 255 else 255)
                self._channel.shutdown_write()
            self._channel.close()
        self._gone = True

    def _interrupted(self) -> None:
        """A Ctrl-C in a terminal where nobody reads; a raw one is the container's business."""
        if not self._raw:
            self._cancel("Ctrl-C")

    def _cancel(self, reason: str) -> None:
        self._callbacks.post(lambda: self.cancellation.cancel(reason))

    def _tell_size(self) -> None:
        """Whoever comes last tells the latest size."""
        with self._resizing:
            if self._resized is not None:
                self._resized(self._size)

    def _translated(self, data: bytes) -> bytes:
        if self.terminal is None or self._raw:
            return data
        return data.replace(b"\n", b"\r\n")

    def _send(self, send: Callable[[bytes], int], data: bytes) -> None:
        """Paramiko's own loop never ends on a channel that is half closed."""
        left = memoryview(data)
        with self._writing:
            while left and not self._gone:
                left = left[self._send_piece(send, bytes(left[:_PIECE_BYTES])) :]

    def _send_piece(self, send: Callable[[bytes], int], piece: bytes) -> int:
        try:
            sent = send(piece)
        except TimeoutError:
            self.lost("the client stopped reading")
            self._channel.close()
            return 0
        except _LOST:
            sent = 0
        if sent == 0:
            self.lost()
        return sent


def _size(columns: int, rows: int) -> WindowSize:
    """A client without a terminal of its own sends zeros."""
    usual = WindowSize()
    return WindowSize(min(columns, 5000) or usual.columns, min(rows, 5000) or usual.rows)
