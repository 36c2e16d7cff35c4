"""How a command reaches an image's entrypoint: run by a real shell, to see what arrives there."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from pushdeploy.domain.entrypoints import plain_words, takes_commands, through

PROGRAM = ["python3", "-c", "import sys; print(sys.argv[1:])"]


def arrives(entrypoint: Sequence[str], command: str) -> str:
    return subprocess.run(
        ["/bin/sh", "-c", through(entrypoint, command)],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PORT": "5000"},
    ).stdout.strip()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("runserver 0.0.0.0:$PORT", ["runserver", "0.0.0.0:5000"]),
        ("check --name 'two words' \"${PORT}\"", ["check", "--name", "two words", "5000"]),
        ("a;b", ["/bin/sh", "-c", "a;b"]),
        ("a && b $PORT", ["/bin/sh", "-c", "a && b $PORT"]),
        ("DEBUG=1 a", ["/bin/sh", "-c", "DEBUG=1 a"]),
        ("exec a --port=$PORT", ["/bin/sh", "-c", "exec a --port=$PORT"]),
        ("cd src", ["/bin/sh", "-c", "cd src"]),
        ("say 'a && b; c'", ["say", "a && b; c"]),
    ],
)
def test_words_arrive_one_by_one_and_what_is_a_shells_as_a_shell(
    command: str, words: list[str]
) -> None:
    assert arrives(PROGRAM, command) == str(words)


def test_a_wrapper_that_ends_in_exec_runs_either(tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text('echo wrapped; exec "$@"\n')
    entrypoint = ["sh", str(wrapper)]
    assert arrives(entrypoint, "echo $PORT") == "wrapped\n5000"
    assert arrives(entrypoint, "echo one && echo two") == "wrapped\none\ntwo"


def test_a_shell_that_waits_for_its_script_gets_the_command_for_one() -> None:
    assert arrives(["/bin/sh", "-ec"], "echo $PORT && echo two") == "5000\ntwo"


def test_the_shell_form_takes_no_command() -> None:
    shell_form = ["/bin/sh", "-c", "./start"]
    assert not takes_commands(shell_form)
    assert through(shell_form, "echo $PORT") == "echo $PORT"
    assert not takes_commands([])
    assert takes_commands(["/bin/sh", "/wrapper"])


@pytest.mark.parametrize(
    ("entrypoint", "command", "words"),
    [
        (["/program"], "worker --count 2", ["worker", "--count", "2"]),
        (["/program"], "worker --count $N", None),
        (["/program"], "worker 'a'", None),
        (["/program"], "exec worker", None),
        (["/bin/sh", "-c"], "worker", None),
        (["/bin/sh", "-c", "./start"], "worker", None),
        ([], "worker", None),
        (["/program"], "", None),
    ],
)
def test_plain_words_need_no_shell(
    entrypoint: Sequence[str], command: str, words: Sequence[str] | None
) -> None:
    assert plain_words(entrypoint, command) == words
