"""What people write into .env files, and what our own export prints, is read back as it was."""

import pytest

from pushdeploy.commands.config import exported
from pushdeploy.domain.env_file import parse_env
from pushdeploy.domain.errors import UserError

AWKWARD = {
    "SPACES": " two  words ",
    "QUOTES": """it's "quoted" """,
    "DOLLAR": "$HOME `id` \\n \\",
    "LINES": "one\ntwo\n\n# three\n",
    "CARRIAGE": "a\r\nb\r",
    "EMPTY": "",
    "EQUALS": "a=b=c",
    "HASH": "a#b #c",
    "TEXT": "grün ✓\tand a tab",
}


@pytest.mark.parametrize("form", ["shell", "env"])
def test_what_was_exported_is_read_back_as_it_was(form: str) -> None:
    assert parse_env("\n".join(exported(AWKWARD, form)) + "\n") == AWKWARD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("\n# a comment\n\n", {}),
        ("\ufeffA=1", {"A": "1"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("export A=1\n  B = 2  \n", {"A": "1", "B": "2"}),
        ("A=one two # and a comment\n", {"A": "one two"}),
        ("A=http://x/?a=b&c=d#e\n", {"A": "http://x/?a=b&c=d#e"}),
        ("A='it''s'\"$B\"\\ C\n", {"A": "its$B C"}),
        ("A=\nB=''\n", {"A": "", "B": ""}),
        ("A='-----BEGIN\nX\n-----END'\nB=1\n", {"A": "-----BEGIN\nX\n-----END", "B": "1"}),
        ("A=1\nA=2\n", {"A": "2"}),
    ],
)
def test_a_file_that_people_write_is_understood(text: str, expected: dict[str, str]) -> None:
    assert parse_env(text) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A", 1),
        ("A=1\n\ns3cret\n", 3),
        ("A=1\nB='s3cret\n", 2),
        ('A="s3cret', 1),
        ("=s3cret", 1),
        ("A='s3cret' 's3cret'", 1),
    ],
)
def test_a_line_that_is_none_is_named_without_its_value(text: str, line: int) -> None:
    with pytest.raises(UserError, match=f"line {line} is not KEY=VALUE") as failure:
        parse_env(text)
    assert "s3cret" not in str(failure.value)
