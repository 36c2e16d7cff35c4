"""What a command ends with when it is told to stop, tried with every shell that is here."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pushdeploy.domain.shell import script, signal_of, watched

SHELLS = [words for words in (["dash"], ["bash"], ["busybox", "sh"]) if shutil.which(words[0])]
WAITS = "trap 'echo child ends; exit 0' TERM INT HUP QUIT; echo up; while :; do sleep 0.05; done"
"""A well-behaved program: told to stop, it ends well and says 0."""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture(params=SHELLS, ids=lambda words: words[0])
def shell(request: pytest.FixtureRequest) -> list[str]:
    found: list[str] = request.param
    return found


@pytest.fixture
def start(shell: list[str], tmp_path: Path) -> Iterator[Start]:
    """A command as a one-off runs it, in a process group of its own, with ``shell`` as /bin/sh."""
    (tmp_path / "child").write_text(WAITS)
    with ExitStack() as started:

        def begin(command: str) -> "subprocess.Popen[str]":
            words = [*shell, *watched([*shell, "-c", script(command)])[1:]]
            process = subprocess.Popen(
                words, cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield begin


def lines_after(process: "subprocess.Popen[str]", number: int) -> list[str]:
    """Signal the whole group when the command is up, as Docker's init does: what it then says."""
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    os.killpg(process.pid, number)
    return process.stdout.read().splitlines()


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT"])
@pytest.mark.parametrize(
    "command",
    [
        "sh child",
        "sh child && echo next",
        "sh child; echo next",
        "sh child || echo next",
        "exec sh child",
        "(sh child) && echo next",
        "set -e; sh child; echo next",
        "sh child | (trap '' TERM INT HUP QUIT; cat); echo next",
        "x=$(sh child >&2); echo next",
        "if sh child; then echo next; fi",
        "while :; do sh child; done",
        "trap '' CHLD\nsh child\necho next",
    ],
)
def test_a_command_that_was_told_to_stop_says_so_when_its_child_has_ended(
    start: Start, command: str, name: str
) -> None:
    number = signal.Signals[f"SIG{name}"]
    process = start(command.replace(">&2", ">/dev/fd/3").replace("x=", "exec 3>&1; x="))
    assert lines_after(process, number) == ["child ends"]
    assert process.wait(20) == 128 + number


@pytest.mark.parametrize(
    "command", ["trap 'echo cleanup' TERM; sh child && echo next", "trap : TERM; sh child; true"]
)
def test_a_shell_that_traps_the_signal_itself_cannot_hide_it(start: Start, command: str) -> None:
    process = start(command)
    said = lines_after(process, signal.SIGTERM)
    assert said[0] == "child ends"
    assert process.wait(20) == 143


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("kill -TERM $$", 143),
        ("kill -INT $$; true", 130),
        ("kill -TERM $$ && echo next", 143),
        ("kill -TERM $PPID; true", 143),
        ("sh -c 'kill -TERM $PPID'; echo next", 143),
        ("kill -KILL $$", 137),
        ("true", 0),
        ("exit 7", 7),
        ("false && true", 1),
        ("no-such-program-anywhere 2>/dev/null", 127),
        ("sh -c 'kill -TERM $$'; true", 0),
    ],
)
def test_the_exit_code_is_the_commands_own_or_that_of_the_signal(
    start: Start, command: str, code: int
) -> None:
    process = start(command)
    assert process.stdout is not None
    assert process.stdout.read() == ""
    assert process.wait(20) == code


def test_a_terminals_keys_are_the_childs_own_affair(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "child").write_text(WAITS)
    inner = [*shell, "-c", script("sh child", terminal=True)]
    words = [*shell, *watched(inner, terminal=True)[1:]]
    for number, code in ((signal.SIGINT, 0), (signal.SIGTERM, 143)):
        with subprocess.Popen(
            words, cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            assert lines_after(process, number) == ["child ends"]
            assert process.wait(20) == code


def test_a_signal_is_named_by_its_code_alone() -> None:
    named = [signal_of(code) for code in (143, 130, 129, 131, 137, 0, 1, 15)]
    assert named == ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", None, None, None, None]
