"""``until`` waits for what nobody announces, always with a deadline."""

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], seconds: float, pause_seconds: float = 0.01) -> bool:
    """Tell whether ``condition`` came true within the time; it is asked at least once."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause_seconds)
    return True
