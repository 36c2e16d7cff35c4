"""Git indexes the bytes of a pack, in a limited child, on their way into a quarantine."""

import errno
import os
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BackendDown, PushdeployError, UserError
from pushdeploy.receive.git import Git, kill
from pushdeploy.receive.messages import said_by_git

PIECE_BYTES = 65536
DRAINED_BYTES = 256 * 1024**2
_HEADER_BYTES = 12
_TRAILER_BYTES = 20

_RELAXED = (
    "zeroPaddedFilemode",
    "missingSpaceBeforeDate",
    "badTimezone",
    "missingEmail",
    "badEmail",
    "badDate",
)
"""Blemishes of real, old histories; nothing that concerns names or structure of trees."""


class PackRefused(UserError):
    """The pack is broken, hostile or too large."""


class IncomingPack:
    """An incoming pack is the bytes that a client sends after its commands.

    One use: into a pack, or into nowhere.
    """

    def __init__(self, recv: Callable[[int], bytes]) -> None:
        self._recv = recv
        self._thread: threading.Thread | None = None

    def read(self, size: int) -> bytes:
        """Read exactly ``size`` bytes, and fewer only at the end."""
        data = b""
        while len(data) < size and (more := self._recv(size - len(data))):
            data += more
        return data

    def carry_to(self, first: bytes, child: IO[bytes]) -> None:
        """Carry ``first`` and all that follows to ``child`` on a thread of its own.

        What comes after the child has ended is thrown away, so that the client gets to the
        point where it reads the answer.
        """
        self._thread = threading.Thread(
            target=self._carry, args=(first, child), name="git pack", daemon=True
        )
        self._thread.start()

    def drain(self, cancellation: Cancellation, seconds: float) -> None:
        """Wait until the client has said everything."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._discard, name="git drain", daemon=True)
            self._thread.start()
        for _ in range(round(seconds * 10)):
            self._thread.join(timeout=0.1)
            if cancellation.cancelled or not self._thread.is_alive():
                return

    def _carry(self, data: bytes, child: IO[bytes]) -> None:
        try:
            while data:
                child.write(data)
                child.flush()
                data = self._recv(PIECE_BYTES)
        except (BrokenPipeError, ValueError):
            self._discard()
        finally:
            with suppress(OSError):
                child.close()

    def _discard(self) -> None:
        left = DRAINED_BYTES
        while left > 0 and (data := self._recv(PIECE_BYTES)):
            left -= len(data)


def store_pack(git: Git, incoming: IncomingPack, cancellation: Cancellation) -> None:
    """Index the client's pack in the quarantine. ``PackRefused`` with git's complaint."""
    header = incoming.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        cancellation.check()
        raise PackRefused("the connection ended before the pack began")
    if not header.startswith(b"PACK"):
        raise PackRefused("the data that was sent is not a pack")
    if header[8:] == b"\0\0\0\0":
        incoming.read(_TRAILER_BYTES)  # only refs to what is here already
        return
    _index(git, incoming, header, cancellation)


def _index(git: Git, incoming: IncomingPack, header: bytes, cancellation: Cancellation) -> None:
    arguments = (
        "index-pack",
        "--stdin",
        "--fix-thin",
        "--strict=" + ",".join(f"{name}=ignore" for name in _RELAXED),
        f"--max-input-size={git.limits.pack_bytes}",
    )
    with _memory() as complaints:
        child = git.start(
            *arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints
        )
        _carry_to(child, git, incoming, header, cancellation)
        complaints.seek(0)
        said = said_by_git(complaints.read(PIECE_BYTES))
    if child.returncode != 0:
        raise refusal(said)


def _memory() -> IO[bytes]:
    """A file that can be written on a full disk too: git says there that it is full."""
    return os.fdopen(os.memfd_create("complaints"), "w+b")


def _carry_to(
    child: "subprocess.Popen[bytes]",
    git: Git,
    incoming: IncomingPack,
    header: bytes,
    cancellation: Cancellation,
) -> None:
    """Until the child has ended. ``Cancelled``, or ``PackRefused`` when it takes too long."""
    try:
        with cancellation.stopping(lambda: kill(child)):
            assert child.stdin is not None
            incoming.carry_to(header, child.stdin)
            child.wait(timeout=git.limits.timeout_seconds)
    except subprocess.TimeoutExpired as error:
        raise PackRefused(
            f"the pack was not complete after {git.limits.timeout_seconds:.0f} seconds"
        ) from error
    finally:
        kill(child)
        child.wait()
    cancellation.check()


def refusal(said: str) -> PushdeployError:
    """Make an error of git's last words: a full disk is no fault of the pack."""
    full = os.strerror(errno.ENOSPC)
    if full in said:
        return BackendDown(f"the pack cannot be stored: {full} on the server", "pushdeploy doctor")
    return PackRefused(f"the pack is refused: {said or 'git could not read it'}")
