"""_redirects: what a line means, and what is said of one that means nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.static.redirects import (
    MOST_PATTERNS,
    MOST_RULES,
    MOVED,
    REFUSED,
    Redirect,
    encoded,
    parse_redirects,
)

WORDS = st.text("abz-_.~09é", min_size=1, max_size=8).filter(lambda word: set(word) - {"."})


def rule(line: str) -> Redirect:
    parsed = parse_redirects(line)
    assert not parsed.problems
    (found,) = parsed.rules
    return found


def problem(line: str) -> str:
    parsed = parse_redirects(f"\n{line}\n")
    assert not parsed.rules
    (found,) = parsed.problems
    assert found.line == 2
    assert found.remedy
    return found.message


@pytest.mark.parametrize("status", [*MOVED, 200, *REFUSED])
def test_a_line_is_a_source_a_target_and_a_status(status: int) -> None:
    found = rule(f"/old /new {status}")
    assert (found.source.exact, found.to, found.status, found.forced) == (
        "/old",
        "/new",
        status,
        False,
    )


def test_an_exclamation_mark_lets_the_rule_go_before_files() -> None:
    assert rule("/old /new 301!").forced


def test_tabs_comments_empty_lines_a_bom_and_carriage_returns_are_no_rules() -> None:
    text = "\ufeff# all of it\r\n\r\n  /a\t\t/b   302  # for now\r\n#/c /d 301\r\n"
    (found,) = parse_redirects(text).rules
    assert (found.source.exact, found.to, found.status, found.line) == ("/a", "/b", 302, 3)


def test_an_anchor_is_no_comment() -> None:
    assert rule("/a /b#there 301").to == "/b#there"


def test_without_a_status_it_is_301_and_one_line_asks_for_it() -> None:
    parsed = parse_redirects("/a /b\n/c /d\n/e /f 302\n")
    assert [found.status for found in parsed.rules] == [301, 301, 302]
    (notice,) = parsed.notices
    assert notice.line == 1


def test_a_splat_alone_says_that_a_missing_file_is_missing() -> None:
    found = rule("/assets/* 200")
    assert found.to == "/assets/:splat"
    assert found.serves_itself


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/a", "no target"),
        ("/a 301", "no target"),
        ("a /b 301", "does not begin with a slash"),
        ("/a b 301", "neither a path nor an address"),
        ("/a /b 299", "no status of a rule"),
        ("/a /b 30x", "no status"),
        ("/a /b 301 now", "follows the status"),
        ("/a x=1 /b 301", "do not depend on a query"),
        ("/a?x=1 /b 301", "without what follows"),
        ("/a /b 301 Country=de", "do not depend on Country"),
        ("/a /b 301 Language=en,de", "do not depend on Language"),
        ("/a /b Role=admin", "do not depend on Role"),
        ("/*/b /c 301", "not at the end"),
        ("/a* /c 301", "not at the end"),
        ("/*/* /c 301", "several *"),
        ("/:x/:x /c 301", "the same name"),
        ("/:splat /c 301", "the name of what * matches"),
        ("/a/../b /c 301", "a part . or .."),
        ("/a//b /c 301", "two slashes"),
        ("/a%5Cb /c 301", "backslash or a control"),
        ("/a%0Ab /c 301", "backslash or a control"),
        ("/a%00 /c 301", "backslash or a control"),
        ("/a%ff /c 301", "is not UTF-8"),
        ("/a //evil.example 301", "begins with two slashes"),
        ("/a /b\\c 301", "the character"),
        ('/a /b"c 301', "the character"),
        ("/a /b%0d%0aSet-Cookie:x 301", "encoded control character"),
        ("/a /../b 200", "a part . or .."),
        ("/a /%2e%2e/b 200", "a part . or .."),
        ("/a /b/:x 301", ":x is no placeholder"),
        ("/a https:///x 301", "neither a path nor an address"),
        ("/a https://me:pw@x.example/ 301", "not a plain one"),
        ("/* https://:splat 301", "no address"),
        ("/:x https://:x.example/ 301", "no address"),
        ("/* https://x.example:splat 301", "no address"),
        ("/a https://exämple.de/ 301", "not a plain one"),
        ("/api/* https://api.example/:splat 200", "are not passed on"),
        ("/a https://x.example/404 404", "shows a page of the site"),
        ("https://old.example/* /new 301", "not for a host"),
        ("/" + "a" * 1001 + " /b 301", "more than 1000 characters"),
        ("/a/b/c/d/e/f/g/h/i/j/k/l/:m /:m 301", "behind part 12"),
    ],
)
def test_what_means_nothing_is_told_with_its_line(line: str, said: str) -> None:
    assert said in problem(line)


def test_a_colon_in_the_middle_of_a_word_is_a_colon() -> None:
    assert rule("/a /wiki/Talk:Main 301").pieces == ["/wiki/Talk:Main"]


def test_a_target_takes_parts_of_the_address_also_into_its_query() -> None:
    found = rule("/:lang/news/* https://x.example/:splat?in=:lang#top 302")
    assert found.pieces == ["https://x.example/", 3, "?in=", 1, "#top"]


def test_too_many_rules_are_one_problem_and_are_not_even_read() -> None:
    parsed = parse_redirects("/a b\n" * (MOST_RULES + 1))
    (found,) = parsed.problems
    assert found.line == 0
    assert "20,001 rules, and 20,000 are the most" in str(found)


def test_patterns_have_a_limit_of_their_own() -> None:
    lines = (f"/{number}/* /b 301" for number in range(MOST_PATTERNS + 1))
    (found,) = parse_redirects("\n".join(lines)).problems
    assert "501 rules with * or :name" in found.message


@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from([*MOVED, 200]))
def test_any_path_is_a_source_and_a_target(words: list[str], status: int) -> None:
    path = "/" + "/".join(words)
    if {".", ".."} & set(words):
        return
    found = rule(f"{path} {path} {status}")
    assert found.source.exact == path
    assert encoded(found.to).isascii()


@given(st.text(max_size=60))
def test_no_text_at_all_breaks_the_reading(text: str) -> None:
    parsed = parse_redirects(text)
    lines = [*(each.line for each in parsed.rules), *(each.line for each in parsed.problems)]
    assert len(lines) == len(set(lines))


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_what_stands_in_a_header_ends_none(text: str) -> None:
    found = encoded(text)
    assert found.isascii()
    assert not set(found) & set('\r\n\0 "\\<>$')
