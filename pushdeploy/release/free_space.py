"""Keeps a rehearsal from taking the space that all else on the machine writes to."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Cancelled, NoRoom
from pushdeploy.domain.sizes import about_bytes

_LEFT_BYTES = 1024**3
_LEFT_PART = 10
"""A rehearsal leaves this part of what was free when it began, or so many bytes if that is less."""

_LOOK_SECONDS = 0.1


def bytes_to_keep_free(place: Path) -> int:
    """Compute the bytes that must stay free on the file system of ``place``."""
    return min(_LEFT_BYTES, shutil.disk_usage(place).free // _LEFT_PART)


@contextmanager
def space_kept(place: Path, floor_bytes: int, cancellation: Cancellation) -> Iterator[None]:
    """Cancel the work inside when less is free where ``place`` is, and raise ``NoRoom`` then."""
    left, short = threading.Event(), threading.Event()

    def watch() -> None:
        while not left.wait(_LOOK_SECONDS):
            if shutil.disk_usage(place).free < floor_bytes:
                short.set()
                cancellation.cancel("the file system is nearly full")
                return

    watcher = threading.Thread(target=watch, name="room-left", daemon=True)
    watcher.start()
    try:
        yield
    except Cancelled as error:
        if not short.is_set():
            raise
        raise NoRoom(
            f"the rehearsal was ended: it left less than {about_bytes(floor_bytes)} free, which"
            " everything else on this machine needs",
            "make room first, or see what its release command writes",
        ) from error
    finally:
        left.set()
        watcher.join()
