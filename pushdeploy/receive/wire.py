"""Packets of several threads reach a git client whole, in order and with keepalives."""

import threading
import time
from collections.abc import Iterable

from dulwich.errors import GitProtocolError, HangupException
from dulwich.protocol import ReceivableProtocol

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import CommitId
from pushdeploy.domain.ports.git_session import GitSession

COALESCED_BYTES = 32_000
SHALLOW_LINES = 1000
_KEEPALIVE = b"0005\x02"
"""An empty packet of progress: clients print nothing of it."""


class BrokenProtocol(UserError):
    """The client does not follow the git protocol."""


class Wire:
    """A wire gathers packets until the first read, for refs come one packet each; it is
    thread-safe.

    Until the first read what is written is gathered: refs come one packet each.
    """

    def __init__(self, session: GitSession) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._gathered: bytearray | None = bytearray()
        self._written_at = time.monotonic()

    def recv(self, most: int) -> bytes:
        self.flush()
        return self._session.read(most)

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._gathered is None:
                self._send(data)
                return
            self._gathered += data
            if len(self._gathered) >= COALESCED_BYTES:
                self._send(bytes(self._gathered))
                self._gathered.clear()

    def flush(self) -> None:
        """Send the gathered packets, and gather no more from now on."""
        with self._lock:
            if self._gathered:
                self._send(bytes(self._gathered))
            self._gathered = None

    def keep_alive(self, silence_seconds: float) -> float:
        """Send a sign of life after that much silence, and return the seconds until the next."""
        with self._lock:
            left = self._written_at + silence_seconds - time.monotonic()
            if left > 0:
                return left
            self._send(_KEEPALIVE)
            return silence_seconds

    def _send(self, data: bytes) -> None:
        self._session.write(data)
        self._written_at = time.monotonic()


class Keepalive:
    """A thread keeps a silent connection open while long work goes on."""

    def __init__(self, wire: Wire, silence_seconds: float) -> None:
        self._wire = wire
        self._silence_seconds = silence_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="git keepalive", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread, which sends nothing after this; also before ``start``, or twice."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat(self) -> None:
        left = self._silence_seconds
        while not self._stopped.wait(left):
            left = self._wire.keep_alive(self._silence_seconds)


class GitProtocol(ReceivableProtocol):
    """The protocol is Dulwich's pkt-lines, and strict.

    ``shallow`` ends the advertisement of refs.

    Dulwich does not tell clients which of the server's commits are shallow, and they would take
    what lies behind those for present.
    """

    def __init__(self, wire: Wire, shallow: Iterable[CommitId]) -> None:
        super().__init__(wire.recv, wire.write)
        self._shallow: list[CommitId] | None = sorted(shallow)

    def read(self, size: int) -> bytes:
        """Read a pkt-line that may be empty, for which Dulwich has an assertion."""
        return super().read(size) if size else b""

    def read_pkt_line(self) -> bytes | None:
        try:
            line = super().read_pkt_line()
        except HangupException:
            raise
        except (GitProtocolError, ValueError) as error:
            raise BrokenProtocol(f"the client broke the git protocol: {error}") from error
        if line == b"" or (line and line.count(b"\0") > 1):
            raise BrokenProtocol("the client broke the git protocol: a malformed line")
        return line

    def write_pkt_line(self, line: bytes | None) -> None:
        if line is None and self._shallow is not None:
            commits, self._shallow = self._shallow, None
            for commit in commits:
                super().write_pkt_line(b"shallow " + commit.encode())
        super().write_pkt_line(line)


class PushProtocol(GitProtocol):
    """The protocol takes a pushing client's own shallow lines, which Dulwich does not know of."""

    def __init__(self, wire: Wire, shallow: Iterable[CommitId], most_lines: int) -> None:
        super().__init__(wire, shallow)
        self.client_shallow: set[CommitId] = set()
        self._most_lines = most_lines
        self._lines = 0

    def read_pkt_line(self) -> bytes | None:
        line = super().read_pkt_line()
        while line is not None and line.startswith(b"shallow "):
            self._take_shallow(line)
            line = super().read_pkt_line()
        self._lines += 1
        if self._lines > self._most_lines + 1:
            raise BrokenProtocol(f"more than {self._most_lines:,} refs in one push")
        return line

    def _take_shallow(self, line: bytes) -> None:
        commit = line.removeprefix(b"shallow ").strip().decode("ascii", "replace")
        self.client_shallow.add(CommitId.parse(commit))
        if len(self.client_shallow) > SHALLOW_LINES:
            raise BrokenProtocol(f"more than {SHALLOW_LINES:,} shallow commits in one push")
