"""A client that is still at work."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.stories.means import wait_until


class Running:
    """A client that is still at work: read along, interrupt it, see how it ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._said = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        """What it has printed so far, on both outputs."""
        return self._said.decode(errors="replace")

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Until it has printed ``text``."""
        wait_until(
            lambda: text in self.said or (self.ended and not self._reader.is_alive()),
            seconds,
            lambda: f"{text!r} did not come, but:\n{self.said}",
        )
        assert text in self.said, f"it ended without {text!r}:\n{self.said}"

    def type(self, text: str) -> None:
        """On its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def close_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def interrupt(self) -> None:
        """What Ctrl-C does: SIGINT to everything that runs in its terminal."""
        os.killpg(self._process.pid, signal.SIGINT)

    def kill_ssh(self) -> None:
        """SIGKILL to its ssh: the connection is gone, and nobody says good-bye."""
        for pid in _session(self._process.pid):
            if _program(pid) == "ssh":
                os.kill(pid, signal.SIGKILL)
                return
        raise AssertionError("no ssh runs for it")

    def end(self, seconds: float = 60) -> int:
        """Wait for it: its exit code, 255 and the like of ssh included."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.close()
            raise AssertionError(f"it does not end:\n{self.said}") from None
        self.close()
        return code

    def close(self) -> None:
        """Kill what still runs of it."""
        if not self.ended:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join(10)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while data := self._process.stdout.read1(65536):  # type: ignore[attr-defined]
            self._said += data


class Terminal(Running):
    """A client on a terminal of its own."""

    def __init__(self, words: Sequence[str], rows: int, columns: int) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(rows=rows, columns=columns)
        process = subprocess.Popen(
            [sys.executable, "-c", _ON_ITS_TERMINAL, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        super().__init__(process)

    def type(self, text: str) -> None:
        """As on its keyboard: ``\\x03`` is Ctrl-C."""
        os.write(self._ours, text.encode())

    def resize(self, *, rows: int, columns: int) -> None:
        """The window has been drawn larger or smaller."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        super().close()
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def _read(self) -> None:
        with suppress(OSError):  # EIO: the other side is closed
            while data := os.read(self._ours, 65536):
                self._said += data


_ON_ITS_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def _session(leader: int) -> list[int]:
    """Processes of the session that ``leader`` began."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader:
                found.append(int(entry.name))
    return found


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
