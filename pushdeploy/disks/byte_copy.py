"""Copies the bytes of one file into another, in the kernel where it can, and leaves holes."""

import errno
import os
from collections.abc import Iterator

_PIECE_BYTES = 64 * 1024 * 1024
_BUFFER_BYTES = 1024 * 1024
_SMALL_BYTES = 128 * 1024
"""Up to here one read and one write are cheaper than asking for holes."""

_BLOCK_BYTES = 512
"""What st_blocks counts in, stat(2)."""

_NOT_IN_THE_KERNEL = {errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}


def copy_bytes(source: int, target: int, size_bytes: int) -> None:
    """Copy the first ``size_bytes`` of ``source`` into an empty ``target``; less when it shrank."""
    if size_bytes <= _SMALL_BYTES:
        _write_all(target, os.pread(source, size_bytes, 0), 0)
        return
    for start, end in _filled_parts(source, size_bytes):
        _copy_part(source, target, start, end)
    if os.fstat(target).st_size < (end := min(size_bytes, os.fstat(source).st_size)):
        os.ftruncate(target, end)


def _filled_parts(source: int, size_bytes: int) -> Iterator[tuple[int, int]]:
    """What lies between the holes of a sparse file, lseek(2)."""
    if os.fstat(source).st_blocks * _BLOCK_BYTES >= size_bytes:
        yield 0, size_bytes
        return
    end = 0
    while end < size_bytes:
        try:
            start = os.lseek(source, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        end = min(os.lseek(source, start, os.SEEK_HOLE), size_bytes)
        if start < end:
            yield start, end


def _copy_part(source: int, target: int, start: int, end: int) -> None:
    """copy_file_range(2) from ``start`` to ``end``, by hand where the two places do not take it."""
    while start < end:
        try:
            done = os.copy_file_range(source, target, min(_PIECE_BYTES, end - start), start, start)
        except OSError as error:
            if error.errno not in _NOT_IN_THE_KERNEL:
                raise
            _copy_by_hand(source, target, start, end)
            return
        if not done:
            return
        start += done


def _copy_by_hand(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        data = os.pread(source, min(_BUFFER_BYTES, end - start), start)
        if not data:
            return
        _write_all(target, data, start)
        start += len(data)


def _write_all(target: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        done = os.pwrite(target, rest, offset)
        rest, offset = rest[done:], offset + done
