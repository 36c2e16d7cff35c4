"""Docker's multiplexed streams (Engine API, "Attach") are taken apart into frames and lines."""

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from pushdeploy.domain.container import LogLine
from pushdeploy.engine.payloads import moment

Frame = tuple[Literal[1, 2], bytes]

_HEADER = struct.Struct(">BxxxL")
_LONGEST_LINE_BYTES = 256 * 1024


def frames(read: Callable[[int], bytes]) -> Iterator[Frame]:
    """Frames until ``read`` gives fewer bytes than asked for; stream 0 counts as stdout."""
    while len(header := read(_HEADER.size)) == _HEADER.size:
        stream, size = _HEADER.unpack(header)
        data = read(size) if size else b""
        if data:
            yield (2 if stream == 2 else 1), data
        if len(data) < size:
            return


def lines_of_terminal(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """A terminal's raw bytes as one frame a line."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield 1, line.rstrip(b"\r") + b"\n"
    if rest:
        yield 1, rest


def log_lines(parts: Iterable[Frame]) -> Iterator[LogLine]:
    """Lines from time-stamped frames; Docker cuts long ones, which are put together again."""
    pending: dict[Literal[1, 2], LogLine] = {}
    for stream, data in parts:
        line = _parse(stream, data)
        if before := pending.pop(stream, None):
            line = LogLine(before.at, stream, before.text + line.text)
        if data.endswith(b"\n") or len(line.text) > _LONGEST_LINE_BYTES:
            yield line
        else:
            pending[stream] = line
    yield from pending.values()


def _parse(stream: Literal[1, 2], data: bytes) -> LogLine:
    stamp, _, text = data.partition(b" ")
    return LogLine(
        moment(stamp.decode("ascii").strip()),
        stream,
        text.removesuffix(b"\n").removesuffix(b"\r").decode(errors="replace"),
    )
