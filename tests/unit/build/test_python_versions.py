"""Which Python an app gets."""

import pytest

from pushdeploy.build.python.versions import (
    PythonChoice,
    choose_python,
    parse_wish,
    satisfies,
    wish_of,
)
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import MakeTree

PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}


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
    ],
)
def test_versions_are_read_from_files(text: str, expected: tuple[int, int]) -> None:
    assert expected == parse_wish(text, ".python-version").release


@pytest.mark.parametrize("text", ["", "three", "3", "3.11\n3.13", "pypy-7.3"])
def test_what_is_not_a_version_is_refused(text: str) -> None:
    with pytest.raises(BuildFailed, match="does not name one Python version"):
        parse_wish(text, ".python-version")


def test_the_default_stack_is_used_when_nobody_asks() -> None:
    assert choose_python(None, "", "bookworm", PYTHONS) == PythonChoice("bookworm", "3.11")


def test_another_stack_is_used_when_the_project_needs_it() -> None:
    assert choose_python(None, ">=3.12", "bookworm", PYTHONS) == PythonChoice("trixie", "3.13")


def test_a_wish_picks_the_stack_that_has_it() -> None:
    wish = parse_wish("3.13", ".python-version")

    assert choose_python(wish, "", "bookworm", PYTHONS) == PythonChoice("trixie", "3.13")


def test_a_patch_version_gets_the_stacks_own_with_a_notice() -> None:
    choice = choose_python(parse_wish("3.11.4", "runtime.txt"), "", "trixie", PYTHONS)

    assert (choice.stack, choice.managed) == ("bookworm", None)
    assert "runtime.txt asks for 3.11.4" in choice.notices[0]


def test_a_version_that_no_stack_has_is_left_to_uv() -> None:
    choice = choose_python(parse_wish("3.12", ".python-version"), "", "bookworm", PYTHONS)

    assert choice == PythonChoice("bookworm", "3.12", managed="3.12")


def test_a_requirement_that_no_stack_meets_names_what_there_is() -> None:
    with pytest.raises(BuildFailed, match=r"3\.11 \(bookworm\), 3\.13 \(trixie\)"):
        choose_python(None, ">=3.14", "bookworm", PYTHONS)


def test_config_wins_over_files_and_runtime_txt_is_called_old(tree_of: MakeTree) -> None:
    tree = tree_of({"runtime.txt": "python-3.11.4"})

    wish, notices = wish_of(tree, {})
    configured, _ = wish_of(tree, {"PYTHON_VERSION": "3.13"})

    assert wish is not None
    assert wish.full == "3.11.4"
    assert "deprecated" in notices[0]
    assert configured is not None
    assert configured.full == "3.13"
