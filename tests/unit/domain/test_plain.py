"""Text from anywhere, made safe to show."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.plain import plain, plain_lines, plain_sink

STEERS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("plain text, naïve 例え 🚀 👩‍💻\ttab", "plain text, naïve 例え 🚀 👩‍💻\ttab"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[1;38;5;208morange\x1b[m", "orange"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("\x1b[?1049h\x1b[?25lhidden cursor", "hidden cursor"),
        ("\x1b[8mconcealed\x1b[28m", "concealed"),
        ("\x1b]0;new title\x07text", "text"),
        ("\x1b]52;c;ZXZpbA==\x1b\\text", "text"),
        ("\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "link"),
        ("\x1bP+q544e\x1b\\text", "text"),
        ("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\text", "text"),
        ("\x1bc\x1b7\x1b8\x1b=\x1b(0text\x1b(B", "text"),
        ("\x9b31mred\x9d0;title\x9ctext\x90dcs\x9c", "redtext"),
        ("\x1b]0;a title without an end", "0;a title without an end"),
        ("\x1b[12;34", "12;34"),
        ("\x1b", ""),
        ("\x1b\x1b[31m[32mtext", "[32mtext"),
        ("\x1b\x9b\x1b[0m31mtext", "31mtext"),
        ("\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\text", "tmux;text"),
        ("secret\x08\x08\x08\x08\x08\x08public", "secretpublic"),
        ("\x07\x00\x7ftext\x05", "text"),
        ("up\x0bdown\x0cpage\x85next\u2028line", "up down page next line"),
        ("file\u202etxt.exe", "filetxt.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c", "a"),
        ("a\U000e0041\U000e007fb", "ab"),
        ("", ""),
    ],
)
def test_what_steers_a_terminal_is_left_out(printed: str, shown: str) -> None:
    assert plain_lines(printed) == [shown]
    assert plain(printed) == shown


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("windows\r", ["windows"]),
        ("one\r\ntwo\r\n", ["one", "two", ""]),
        ("evil\rgood", ["evil", "good"]),
        ("evil\r\x1b[2Kgood", ["evil", "good"]),
        ("  10%\r  50%\r 100%\r", ["  10%", "  50%", " 100%"]),
        ("\r".join(f"{n}%" for n in range(101)), ["[100 lines that were overwritten]", "100%"]),
        ("\r   \r\r", [""]),
        ("a\n\nb", ["a", "", "b"]),
    ],
)
def test_what_would_be_overwritten_is_shown(printed: str, shown: list[str]) -> None:
    assert plain_lines(printed) == shown


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("\x1b[31mred\x1b[0m and plain", "\x1b[31mred\x1b[0m and plain"),
        ("\x1b[1;32mbold green", "\x1b[1;32mbold green\x1b[0m"),
        ("\x1b[01;31mgrep\x1b[m", "\x1b[1;31mgrep\x1b[0m"),
        ("\x1b[8;31mconcealed", "\x1b[31mconcealed\x1b[0m"),
        ("\x1b[8mconcealed", "concealed"),
        ("\x1b[30;40mblack on black", "black on black"),
        ("\x1b[38;5;31mone of 256", "one of 256"),
        ("\x1b[48;2;1;31;4mtrue colour", "true colour"),
        ("\x1b[2J\x1b[91mtext\x1b]0;t\x07", "\x1b[91mtext\x1b[0m"),
        ("\x1b[>4;1mkeys", "keys"),
    ],
)
def test_plain_colours_stay_where_they_are_wanted(printed: str, shown: str) -> None:
    assert plain_lines(printed, colours=True) == [shown]


def test_each_line_gives_its_colour_back() -> None:
    assert plain_lines("\x1b[31mone\ntwo", colours=True) == ["\x1b[31mone\x1b[0m", "two"]


@given(st.text(max_size=200))
def test_nothing_is_left_that_steers(text: str) -> None:
    assert not any(STEERS.search(line) for line in plain_lines(text))


@given(
    st.lists(st.sampled_from(["\x1b", "[", "]", "P", "\x9b", "31", ";", "m", "\r", "\x07", "a"]))
)
def test_nothing_is_put_together_from_what_is_left(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert not any(STEERS.search(line) for line in plain_lines(text))
    for line in plain_lines(text, colours=True):
        assert not STEERS.search(re.sub(r"\x1b\[[0-9;]*m", "", line))


def test_a_huge_line_takes_no_time() -> None:
    assert plain_lines("\x1b]" * 200_000) == plain_lines("\x9d" * 200_000) == [""]
    assert plain_lines("\r" * 200_000) == plain_lines("\x08" * 200_000) == [""]
    assert len(plain_lines("\x1b[" + "1;" * 200_000)[0]) == 400_000
    assert plain_lines("\x1bP" + "a\x1b" * 100_000)[0].startswith("a")


def test_a_sink_gets_line_by_line() -> None:
    got: list[str] = []
    plain_sink(got.append)("one\rtwo\x1b[2J\nthree")
    assert got == ["one", "two", "three"]
