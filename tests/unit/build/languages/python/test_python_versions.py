"""Which Python an app gets."""

from dataclasses import replace
from datetime import date

import pytest

from pushdeploy.build.languages.python.choice import PythonChoice, choose_python, may_try
from pushdeploy.build.languages.python.versions import (
    Wish,
    end_of_life,
    newest_release,
    parse_wish,
    satisfies,
)
from pushdeploy.build.languages.python.wishes import wish_of
from pushdeploy.build.stack_order import StackOrder
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import STACKS, MakeTree, circumstances

BOTH = replace(STACKS, ready=frozenset({"bookworm", "trixie"}))
TODAY = circumstances().today


@pytest.mark.parametrize(
    ("release", "requires", "expected"),
    [
        ((3, 11), "", True),
        ((3, 11), ">=3.10", True),
        ((3, 11), ">=3.10,<3.12", True),
        ((3, 11), ">=3.10, <3.11", False),
        ((3, 11), "<3.11.4", True),
        ((3, 11), ">=3.11.4", True),
        ((3, 11), ">3.11", False),
        ((3, 11), ">=3.12", False),
        ((3, 11), "==3.11.*", True),
        ((3, 11), "==3.13", False),
        ((3, 13), "~=3.11", True),
        ((3, 13), "~=3.11.2", False),
        ((3, 13), "^3.11", True),
        ((3, 13), "~3.11", False),
        ((3, 13), ">=3", True),
        ((3, 13), "<4", True),
        ((3, 13), "<4.0", True),
        ((3, 13), "!=3.13", False),
        ((3, 13), "!=3.13.1", True),
        ((3, 13), "~3.11 || ~3.13", True),
        ((3, 13), "3.11|3.12", False),
        ((3, 13), "3.11 | 3.13", True),
        ((3, 13), ">=3.9,<=3.13", False),
        ((3, 13), ">=3.9,<=3.13.0", False),
        ((3, 13), "<=3.13.9", True),
        ((3, 11), "<=3.13", True),
        ((3, 13), "*", True),
    ],
)
def test_specifiers_are_read_as_pip_and_poetry_read_them(
    release: tuple[int, int], requires: str, expected: bool
) -> None:
    assert expected == satisfies(release, requires)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.13\n", (3, 13)),
        ("# ours\n3.13.2\n", (3, 13)),
        ("python-3.11.4", (3, 11)),
        ("3.11.*", (3, 11)),
        ("cpython-3.12.1\r\n", (3, 12)),
        ("v3.13  # as on our laptops\n", (3, 13)),
    ],
)
def test_versions_are_read_from_files(text: str, expected: tuple[int, int]) -> None:
    assert expected == parse_wish(text, ".python-version").release


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("three", "does not name one Python version: 'three'"),
        ("3", "does not name one Python version"),
        (">=3.12", "does not name one Python version"),
        ("3.11\n3.13", "names several versions: 3.11, 3.13"),
        ("pypy3.10-7.3", "no other Python than CPython"),
        ("miniconda3-24.1", "no other Python than CPython"),
        ("3.14t", "a free-threaded build"),
        ("3.13.1+freethreaded", "a free-threaded build"),
        ("3.15.0rc1", "a pre-release"),
        ("3.15-dev", "a pre-release"),
    ],
)
def test_what_is_not_a_version_is_told_apart(text: str, said: str) -> None:
    with pytest.raises(BuildFailed, match=r"^\.python-version ") as failed:
        parse_wish(text, ".python-version")

    assert said in failed.value.message
    assert "3.13" in failed.value.hint


def test_a_new_python_comes_each_october_and_lives_for_five_years() -> None:
    assert newest_release(date(2026, 9, 30)) == (3, 14)
    assert newest_release(date(2026, 10, 1)) == (3, 15)
    assert end_of_life((3, 8), TODAY) == "October 2024"
    assert end_of_life((3, 10), date(2026, 10, 31)) == ""
    assert end_of_life((3, 10), date(2026, 11, 1)) == "October 2026"
    assert end_of_life((2, 7), TODAY) == "January 2020"
    assert end_of_life((3, 13), TODAY) == ""


def chosen(
    text: str = "",
    requires: str = "",
    stacks: StackOrder = STACKS,
    where: str = ".python-version",
    learned: str = "",
) -> PythonChoice:
    wish: Wish | None = parse_wish(text, where) if text else None
    return choose_python(wish, requires, circumstances(stacks=stacks, learned=learned))


@pytest.mark.parametrize(
    ("stacks", "learned", "requires", "expected"),
    [
        pytest.param(STACKS, "", "", "3.11", id="all that is ready"),
        pytest.param(BOTH, "", "", "3.13", id="the newest that is ready"),
        pytest.param(replace(BOTH, wanted="bookworm"), "", "", "3.11", id="the operator's"),
        pytest.param(replace(BOTH, former="bookworm"), "", "", "3.11", id="as it runs"),
        pytest.param(replace(BOTH, former="squeeze"), "", "", "3.13", id="as nothing can run now"),
        pytest.param(BOTH, "", "<3.12", "3.11", id="the newest that fits"),
        pytest.param(STACKS, "", ">=3.12", "3.13", id="one that has to be made"),
        pytest.param(replace(BOTH, former="bookworm"), "", ">=3.12", "3.13", id="it moved on"),
        pytest.param(STACKS, ">=3.12", "", "3.13", id="a dependency needs it"),
        pytest.param(BOTH, "<3.13", "", "3.11", id="a dependency is too old"),
    ],
)
def test_an_app_that_names_none_gets_the_newest_that_fits(
    stacks: StackOrder, learned: str, requires: str, expected: str
) -> None:
    found = chosen(requires=requires, stacks=stacks, learned=learned)

    assert (found.version, found.managed) == (expected, None)
    assert found.notices[0].startswith(f"Python {expected}, ")
    assert found.free is (stacks.former not in stacks.names or bool(requires))


def test_another_python_is_tried_where_that_is_cheap_or_the_only_way() -> None:
    assert may_try(">=3.12", STACKS), "made in a few minutes"
    assert not may_try(">=3.14", STACKS)
    assert may_try("<3.13", BOTH)
    assert not may_try("<3.13", replace(STACKS, ready=frozenset({"trixie"})))


def test_a_wish_picks_the_stack_that_has_it() -> None:
    assert chosen("3.13") == PythonChoice("trixie", "3.13")


def test_a_patch_version_gets_the_stacks_own_with_a_notice() -> None:
    choice = chosen("3.11.4", where="runtime.txt", stacks=BOTH)

    assert (choice.stack, choice.managed) == ("bookworm", None)
    assert "runtime.txt asks for 3.11.4" in choice.notices[0]


@pytest.mark.parametrize("text", ["3.12", "3.14", "3.8.20"])
def test_a_version_that_no_stack_has_is_left_to_uv(text: str) -> None:
    choice = chosen(text)

    assert (choice.stack, choice.managed) == ("bookworm", text)


def test_a_version_that_nobody_mends_any_more_is_called_so() -> None:
    assert chosen("3.9").notices == ("Python 3.9 gets no security fixes since October 2025",)
    assert chosen("3.12").notices == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3.999", "asks for Python 3.999, and there is none yet: the newest is 3.15"),
        ("3.16", "asks for Python 3.16, and there is none yet"),
        ("4.0", "asks for Python 4.0, and there is none yet"),
        ("2.7.18", "asks for Python 2.7.18, whose life ended in January 2020"),
        ("3.7", "asks for Python 3.7, whose life ended in October 2023"),
    ],
)
def test_a_version_that_cannot_be_had_is_refused_at_once(text: str, said: str) -> None:
    with pytest.raises(BuildFailed, match=said) as failed:
        chosen(text)

    assert "3.13" in failed.value.hint


def test_a_requirement_that_no_stack_meets_is_left_to_uv() -> None:
    assert chosen(requires=">=3.14").managed == "3.15"
    assert chosen(requires="==3.12.*").managed == "3.12"


def test_a_requirement_that_nothing_meets_names_what_there_is() -> None:
    with pytest.raises(BuildFailed, match=r"3\.11 \(bookworm\), 3\.13 \(trixie\)"):
        chosen(requires=">=4")


def test_a_wish_against_the_projects_own_requirement_wins_and_is_told() -> None:
    choice = chosen("3.11", requires=">=3.12")

    assert choice.version == "3.11"
    assert choice.notices[-1] == (
        "the project requires Python >=3.12, and .python-version asks for 3.11:"
        " .python-version wins"
    )


PIPFILE_LOCK = '{"_meta": {"requires": {"python_version": "3.12"}}}'


@pytest.mark.parametrize(
    ("files", "environment", "expected", "notices"),
    [
        ({}, {}, None, []),
        ({".python-version": "3.13"}, {}, "3.13", []),
        ({"Pipfile.lock": PIPFILE_LOCK}, {}, "3.12", []),
        ({"runtime.txt": "python-3.11.4"}, {}, "3.11.4", ["runtime.txt is deprecated"]),
        (
            {"runtime.txt": "python-3.11.4", ".python-version": "3.13"},
            {},
            "3.11.4",
            ["deprecated", "runtime.txt asks for Python 3.11.4 and .python-version for 3.13"],
        ),
        (
            {".python-version": "3.13", "Pipfile.lock": PIPFILE_LOCK},
            {},
            "3.13",
            ["Pipfile.lock for 3.12: .python-version wins"],
        ),
        (
            {".python-version": "mine"},
            {"PYTHON_VERSION": "3.13"},
            "3.13",
            ["does not name one Python version: 'mine'; config var PYTHON_VERSION goes before"],
        ),
        ({"Pipfile.lock": "{"}, {}, None, []),
        ({"Pipfile.lock": '{"_meta": []}'}, {}, None, []),
    ],
)
def test_one_place_wins_and_the_others_are_named(
    tree_of: MakeTree,
    files: dict[str, str | bytes],
    environment: dict[str, str],
    expected: str | None,
    notices: list[str],
) -> None:
    wish, said = wish_of(tree_of(files), environment)

    assert (wish.full if wish else None) == expected
    assert len(said) == len(notices)
    assert all(part in line for part, line in zip(notices, said, strict=True))
