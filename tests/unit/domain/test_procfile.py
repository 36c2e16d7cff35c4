"""A Procfile as Heroku reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import ProcessType
from pushdeploy.domain.procfile import parse_procfile

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,20}[A-Za-z0-9])?", fullmatch=True)
COMMANDS = st.text(
    st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1
).filter(lambda text: text.strip() == text and not text.endswith("\\"))


@given(st.dictionaries(NAMES, COMMANDS, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_written_is_read_back_in_its_order(commands: dict[str, str], newline: str) -> None:
    text = "".join(f"{name}: {command}{newline}" for name, command in commands.items())
    assert list(parse_procfile(text).items()) == list(commands.items())


@given(st.text())
def test_any_text_is_either_read_or_refused_with_its_line(text: str) -> None:
    said, commands = "", {}
    try:
        commands = dict(parse_procfile(text))
    except UserError as error:
        said = error.message
    assert said.startswith("Procfile line ") == bool(said)
    assert all(ProcessType.fits(name) and command for name, command in commands.items())


def test_comments_blank_lines_and_a_byte_order_mark_are_tolerated() -> None:
    text = "\ufeff# what runs\r\n\r\n  web :  gunicorn site.wsgi --bind :$PORT  \r\nrelease:migrate"
    assert parse_procfile(text) == {
        "web": "gunicorn site.wsgi --bind :$PORT",
        "release": "migrate",
    }


def test_empty_procfile_has_no_process_types() -> None:
    assert parse_procfile("\n# nothing\n") == {}


def test_command_may_hold_any_character_but_a_newline() -> None:
    command = "echo 'a\u2028b\x0cc' # : not a comment"
    assert parse_procfile(f"web: {command}\n") == {"web": command}


def test_backslashes_that_are_the_commands_own_stay() -> None:
    text = "# not \\\nweb: a\\ b\nclock: echo \\\\\n"
    assert parse_procfile(text) == {"web": "a\\ b", "clock": "echo \\\\"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web: a\n<<<<<<< HEAD\n", "line 2 is a merge marker"),
        ("=======\n", "line 1 is a merge marker"),
        ("web: a\n\nweb: b", "line 3 names web a second time"),
        ("web a", "line 1 is not 'name: command'"),
        ("web:", "line 1 is not 'name: command'"),
        ("# x\n-web: a", "line 2 is not 'name: command'"),
        ("web-: a", "line 1 is not 'name: command'"),
        ("wéb: a", "line 1 is not 'name: command'"),
        ("web: gunicorn \\\n  site.wsgi\n", "line 1 ends with a backslash, and a line cannot be"),
        ("x: a\nweb: a \\\\\\ \n", "line 2 ends with a backslash"),
        ("web: a\0b", "line 1 is not 'name: command'"),
        ("a" * 64 + ": x", "line 1 is not 'name: command'"),
        ("web: " + "x" * 70_000, "line 1: the command of web is larger than 64 KB"),
        ("".join(f"w{number}: x\n" for number in range(201)), "line 201 is process type 201"),
    ],
)
def test_line_that_cannot_be_meant_is_refused_with_its_number(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse_procfile(text)
