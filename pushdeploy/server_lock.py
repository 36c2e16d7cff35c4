"""Lets one server at a time have a home."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pushdeploy.domain.errors import Busy
from pushdeploy.instance import Home

_log = logging.getLogger(__name__)


@contextmanager
def only_server(home: Home) -> Iterator[None]:
    """Hold the home for this process: ``Busy`` where another server has it."""
    descriptor = _opened(home.pid_file)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            number = "".join(filter(str.isdecimal, os.pread(descriptor, 20, 0).decode("latin-1")))
            raise Busy(
                f"process {number or 'unknown'} serves {home.root} already",
                "stop it first, or give this one a home of its own: PUSHDEPLOY_HOME",
            ) from error
        try:
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            os.ftruncate(descriptor, len(f"{os.getpid()}\n"))
        except OSError:  # it is the lock that counts
            _log.warning("%s cannot be written and does not name this process", home.pid_file)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """For reading alone where nothing can be written; the home itself where there is no file."""
    for place, flags in ((path, os.O_RDWR | os.O_CREAT), (path, os.O_RDONLY)):
        with suppress(OSError):
            return os.open(place, flags | os.O_CLOEXEC, 0o644)
    return os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
