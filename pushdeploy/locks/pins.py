"""Images stay on the machine while somebody has pinned them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pushdeploy.domain.names import ImageDigest


class Pins:
    """A pinned image must stay although no release or container may have it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._images: list[ImageDigest] = []

    @contextmanager
    def pinned(self, image: ImageDigest) -> Iterator[None]:
        """Pin the image; a lock of ``AppLocks`` is held meanwhile, so nothing is being removed."""
        with self._lock:
            self._images.append(image)
        try:
            yield
        finally:
            with self._lock:
                self._images.remove(image)

    def images(self) -> frozenset[ImageDigest]:
        with self._lock:
            return frozenset(self._images)
