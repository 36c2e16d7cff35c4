"""A time-out ends what takes too long, from a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def timing_out(seconds: float, end: Callable[[], object]) -> Iterator[threading.Event]:
    """Call ``end`` where this is not left within ``seconds``; the event tells that it was."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        end()

    timer = threading.Timer(seconds, expire)
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
