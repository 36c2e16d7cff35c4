"""Keeps the lines that a release prints: batched, bounded, and never in the way of the deploy."""

import logging
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from pushdeploy.domain.errors import BackendDown
from pushdeploy.store.outputs import KeptOutput

_BATCH_SECONDS = 0.2
_BATCH_BYTES = 64 * 1024
_WAITING_BYTES = 4 * _BATCH_BYTES
_LONGEST_LINE = 64 * 1024

_log = logging.getLogger(__name__)


class OutputRecorder:
    """A recorder commits at most every 0.2 s or 64 KB, on its own thread. Thread-safe.

    Of more than 10 MB, the first megabyte and the end are kept. A database in trouble costs the
    record its lines and is logged; it does not stop what is being recorded.
    """

    def __init__(self, kept: KeptOutput) -> None:
        self._kept = kept
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._size_bytes = 0
        self._committing = False
        self._hurried = False
        self._closed = False
        self._ended = False
        self._thread = threading.Thread(target=self._commit_for_ever, name="record")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def write(self, line: str) -> None:
        """Keep a line without its newline; one over 65,536 characters is cut.

        Dropped when closed.
        """
        kept = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} […]"
        with self._changed:
            self._changed.wait_for(lambda: self._size_bytes < _WAITING_BYTES or self._closed)
            if self._closed:
                return
            self._lines.append(kept)
            self._size_bytes += _size_bytes(kept) + 1
            if len(self._lines) == 1 or self._size_bytes >= _BATCH_BYTES:
                self._changed.notify_all()

    def flush(self) -> None:
        """Return when every line written so far is kept."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended or not (self._lines or self._committing))

    def _commit_for_ever(self) -> None:
        try:
            while (batch := self._next_batch()) is not None:
                self._commit(batch)
        finally:
            with self._changed:
                self._closed = self._ended = True
                self._changed.notify_all()

    def _commit(self, batch: Sequence[str]) -> None:
        try:
            self._kept.append(batch)
        except BackendDown:
            _log.exception("%d lines of a release's output are lost", len(batch))
        with self._changed:
            self._committing = False
            self._changed.notify_all()

    def _next_batch(self) -> Sequence[str] | None:
        """Wait for lines, then a moment for more of them; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            self._changed.wait_for(self._is_due, timeout=_BATCH_SECONDS)
            batch, self._lines, self._size_bytes = self._lines, [], 0
            self._committing, self._hurried = bool(batch), False
            return batch or None

    def _is_due(self) -> bool:
        return self._closed or self._hurried or self._size_bytes >= _BATCH_BYTES


def _size_bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
