"""Docker's multiplexed streams, from bytes in memory."""

import io
import struct
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.container import LogLine
from pushdeploy.engine.frames import frames, lines_of_terminal, log_lines

STAMP = b"2026-01-02T03:04:05.000001999Z "
AT = datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC)


def _frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(min_size=1, max_size=50))))
def test_frames_come_out_as_they_were_put_in(parts: list[tuple[int, bytes]]) -> None:
    wire = b"".join(_frame(stream, data) for stream, data in parts)
    assert list(frames(io.BytesIO(wire).read)) == parts


def test_a_stream_that_breaks_off_gives_what_there_was() -> None:
    wire = _frame(1, b"whole") + _frame(2, b"cut off")[:-3]
    assert list(frames(io.BytesIO(wire).read)) == [(1, b"whole"), (2, b"cut ")]
    assert list(frames(io.BytesIO(wire[:4]).read)) == []


def test_an_empty_frame_is_nothing() -> None:
    assert list(frames(io.BytesIO(_frame(1, b"") + _frame(0, b"x")).read)) == [(1, b"x")]


def test_lines_have_a_moment_a_stream_and_a_text() -> None:
    assert list(log_lines([(1, STAMP + b"hello\n"), (2, STAMP + b"b\xff\r\n")])) == [
        LogLine(AT, 1, "hello"),
        LogLine(AT, 2, "b�"),
    ]


def test_pieces_of_a_long_line_are_joined_for_each_stream() -> None:
    parts = [(1, STAMP + b"a" * 9), (2, STAMP + b"other\n"), (1, STAMP + b"b\n"), (1, STAMP + b"c")]
    assert [line.text for line in log_lines(parts)] == [  # type: ignore[arg-type]  # 1 and 2
        "other",
        "aaaaaaaaab",
        "c",
    ]


def test_an_empty_line_is_a_line() -> None:
    assert [line.text for line in log_lines([(1, STAMP + b"\n"), (1, STAMP.strip() + b"\n")])] == [
        "",
        "",
    ]


def test_a_terminals_bytes_become_lines() -> None:
    chunks = [b"one\r\ntw", b"o\r\n", b"rest"]
    assert list(lines_of_terminal(chunks)) == [(1, b"one\n"), (1, b"two\n"), (1, b"rest")]
