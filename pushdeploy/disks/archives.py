"""Processes beside the server pack a tree into a tar, and unpack a tar into a new tree.

Neither holds more than a piece at a time, so that gigabytes pass through a small server.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pushdeploy.disks.copier_client import command_of, environment, result_of
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BackendDown

_PIECE_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Unpacked:
    """``size_bytes`` is the sum of the sizes of the files, however many blocks they take."""

    entries: int
    size_bytes: int


def pack(tree: Path, write: Callable[[bytes], None], cancellation: Cancellation) -> None:
    """Write the whole of ``tree``, which nothing changes, as a tar, as fast as ``write`` takes it.

    ``BackendDown`` when it could not be read to its end, ``Cancelled`` when somebody asked to
    stop: what has been written then is no whole tar.
    """
    with tempfile.TemporaryFile() as trouble, _child(_tar_of(tree), trouble) as tar:
        if tar.stdout is None:
            raise AssertionError("it is a pipe")
        with cancellation.stopping(tar.kill):
            while data := tar.stdout.read(_PIECE_BYTES):
                cancellation.check()
                write(data)
            ended = tar.wait()
        cancellation.check()
        if ended:
            trouble.seek(0)
            raise BackendDown(
                f"the export was cut short: {_first_line(trouble.read()) or f'tar ended: {ended}'}",
                "the file that has arrived is not whole: remove it, and try again",
            )


def unpack(
    read: Callable[[], bytes], target: Path, uid: int, cancellation: Cancellation
) -> Unpacked:
    """Unpack a tar, or one that gzip, bzip2 or xz has compressed, into the new directory
    ``target``.

    All of it belongs to ``uid``. ``read`` gives the next bytes, none at the end. ``UserError`` for
    what is no whole and harmless tar, ``NoRoom`` where it does not fit; what is in ``target`` then
    is the caller's to remove.
    """
    job = {"target": str(target), "uid": uid, "server": os.getpid()}
    command = command_of("pushdeploy.disks.unpacker", json.dumps(job))
    with _child(command, subprocess.STDOUT, stdin=subprocess.PIPE) as unpacker:
        if unpacker.stdin is None or unpacker.stdout is None:
            raise AssertionError("both are pipes")
        with cancellation.stopping(unpacker.kill):
            _feed(unpacker.stdin, read, cancellation)
            said = (line.decode(errors="replace") for line in unpacker.stdout)
            try:
                found = result_of(said)
            except BackendDown:
                cancellation.check()
                raise
        cancellation.check()
    return Unpacked(found["entries"], found["size"])


def _tar_of(tree: Path) -> list[str]:
    """By GNU tar, which is on every machine and knows holes. What is mounted below stays out."""
    return [
        "tar",
        "--create",
        "--format=posix",
        "--pax-option=delete=atime,delete=ctime",
        "--sparse",
        "--numeric-owner",
        "--one-file-system",
        "--file=-",
        f"--directory={tree}",
        ".",
    ]


def _feed(stdin: IO[bytes], read: Callable[[], bytes], cancellation: Cancellation) -> None:
    """To the end, or as long as it is wanted: why it is not, the other side says itself."""
    with suppress(BrokenPipeError), stdin:
        while data := read():
            rest = memoryview(data)
            while rest:
                rest = rest[stdin.write(rest) :]
        cancellation.check()  # the client's end is not the tar's


@contextmanager
def _child(
    command: Sequence[str], stderr: IO[bytes] | int, *, stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """Dead when the context is left, however it is left. Pieces are ours to choose."""
    with subprocess.Popen(
        command,
        bufsize=0,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd="/",
        env={**environment(), "LC_ALL": "C.UTF-8"},
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def _first_line(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[0].strip()[:200] if lines else ""
