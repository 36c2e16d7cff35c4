"""_headers: blocks of a path and what answers below it get."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.static.headers import MOST_BLOCKS, MOST_NAMES, parse_headers


def problem(text: str) -> str:
    (found,) = parse_headers(text).problems
    assert found.remedy
    return f"{found.line}: {found.message}"


def test_a_block_is_a_path_with_names_and_values() -> None:
    text = "# ours\n/a/*\r\n  X-One: 1:2\n\tX-Two:two words \n\n! x-three\n/b\nX-One: 3\n"
    parsed = parse_headers(text)
    assert not parsed.problems
    assert [(block.path.text, block.values, block.without) for block in parsed.blocks] == [
        ("/a/*", (("X-One", "1:2"), ("X-Two", "two words")), ("x-three",)),
        ("/b", (("X-One", "3"),), ()),
    ]


def test_a_block_without_anything_in_it_is_none() -> None:
    assert parse_headers("/a\n/b\n  X: 1\n").blocks[0].path.text == "/b"


def test_a_star_may_stand_inside_a_part() -> None:
    (block,) = parse_headers("/*.js\n  X: 1\n").blocks
    assert block.path.regex() == r"^/.*\.js$"


def test_a_block_for_a_host_is_left_out_with_what_it_holds() -> None:
    parsed = parse_headers("https://x.example/*\n  X-Robots-Tag: noindex\n/a\n  X: 1\n")
    assert [block.path.text for block in parsed.blocks] == ["/a"]
    assert [notice.line for notice in parsed.notices] == [1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("X: 1\n", "1: 'X: 1' stands before any path"),
        ("/a\n  nothing\n", "2: 'nothing' is neither a path nor a header"),
        ("/a\n  X:\n", "2: X has no value"),
        ("/a\n  : 1\n", "2: '' is no name"),
        ("/a\n  X Y: 1\n", "2: 'X Y' is no name"),
        ("/a\n  X: a\x0bb\n", "2: the value of X"),
        ("/a\n  X: " + "v" * 2001 + "\n", "2: the value of X"),
        ("/a\n  Content-Length: 1\n", "2: Content-Length is the server's own"),
        ("/a\n  etag: x\n", "2: etag is the server's own"),
        ("/a\n  Basic-Auth: me:secret\n", "2: Basic-Auth is not set"),
        ("/a\n  Set-Cookie: a=b\n", "2: Set-Cookie is not set"),
        ("/a\n  !\n", "2: '' is no name"),
        ("/*a*\n  X: 1\n", "1: the path has several *"),
        ("/a?b\n  X: 1\n", "1: a path is matched without"),
    ],
)
def test_what_means_nothing_is_told_with_its_line(text: str, said: str) -> None:
    assert problem(text).startswith(said)


def test_paths_and_names_have_limits() -> None:
    many = "".join(f"/{number}\n  X: 1\n" for number in range(MOST_BLOCKS + 1))
    assert "1,001 paths" in problem(many)
    assert "100,001 lines" in problem("/a\n" * 100_000)
    names = "/a\n" + "".join(f"  X-{number}: 1\n" for number in range(MOST_NAMES + 1))
    assert "41 names" in problem(names)


@given(st.text(max_size=80))
def test_no_text_at_all_breaks_the_reading(text: str) -> None:
    parse_headers(text)


@given(st.text("abXY!:/*# \n\t", max_size=60))
def test_values_never_hold_what_ends_a_line(text: str) -> None:
    for block in parse_headers(text).blocks:
        for name, value in block.values:
            assert name
            assert value
            assert not set(name + value) & {"\r", "\n", "\0"}
