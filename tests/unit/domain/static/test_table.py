"""A table gives the answer of the first rule that matches, although exact ones are asked first."""

import re

from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.static.pattern import stem
from pushdeploy.domain.static.redirects import Redirect, parse_redirects
from pushdeploy.domain.static.table import expression, lower, make_table

PARTS = st.sampled_from(["a", "b", "A", ":x", "c.js"])
SOURCES = st.builds(
    lambda parts, splat: "/" + "/".join([*parts, *(["*"] if splat else [])]),
    st.lists(PARTS, max_size=3),
    st.booleans(),
).filter(lambda text: text.count(":x") < 2)
PATHS = st.builds(
    lambda parts, slash: "/" + "/".join(parts) + ("/" if slash and parts else ""),
    st.lists(st.sampled_from(["a", "b", "d", "c.js"]), max_size=4),
    st.booleans(),
)


def rules(*lines: str) -> list[Redirect]:
    parsed = parse_redirects("\n".join(lines))
    assert not parsed.problems
    return list(parsed.rules)


@given(st.lists(SOURCES, max_size=6), PATHS)
def test_the_first_rule_that_matches_counts(sources: list[str], path: str) -> None:
    """Paths are in small letters: nginx does not tell the case of exact addresses apart."""
    given_rules = rules(*(f"{source} /to{place} 301" for place, source in enumerate(sources)))
    small = [each for each in given_rules if lower(each.source.text) == each.source.text]
    first = next((each for each in small if re.match(expression(each), stem(path))), None)
    assert make_table(small).table.find(path) is first


def test_a_rule_behind_a_pattern_that_matches_it_is_told() -> None:
    first, second = rules("/news/* /n/:splat 301", "/news/today /t 301")
    made = make_table([first, second])
    assert made.shadowed == {second: first}
    assert make_table([second, first]).shadowed == {}


def test_the_second_rule_of_an_address_is_told() -> None:
    first, second = rules("/a /b 301", "/a/ /c 301")
    assert make_table([first, second]).shadowed == {second: first}


def test_the_case_of_an_exact_address_counts_where_it_makes_a_difference() -> None:
    table = make_table(rules("/About /about 301", "/x /one 301", "/X /two 301", "/y /z 301")).table
    assert table.find("/about") is None
    for path, target in (("/About", "/about"), ("/x", "/one"), ("/X", "/two"), ("/Y", "/z")):
        found = table.find(path)
        assert found is not None
        assert found.to == target


def test_a_page_for_everything_is_none_for_a_file_or_what_is_hidden() -> None:
    table = make_table(rules("/* /index.html 200")).table
    for path in ("/", "/a", "/a/b/", "/user/1", "/v1.2"):
        assert table.find(path), path
    for path in ("/app.123.js", "/a/b.css", "/.env", "/.git/config", "/a/.b/c", "/x.webmanifest"):
        assert table.find(path) is None, path


def test_a_page_for_everything_that_is_forced_is_one_for_files_too() -> None:
    assert make_table(rules("/* /closed.html 200!")).table.find("/app.js")
