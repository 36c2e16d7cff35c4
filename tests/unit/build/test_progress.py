"""What long commands say while a stack is made, told now and then."""

import pytest

from pushdeploy.build.progress import Progress, in_words
from pushdeploy.output import Output


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "Get:3 http://deb.debian.org/debian bookworm/main amd64 gcc-12 amd64 12.2 [19.3 MB]",
            "fetching bookworm/main amd64 gcc-12",
        ),
        ("Unpacking perl-base (5.36.0-7) ...\n", "unpacking perl-base (5.36.0-7)"),
        ("Setting up gcc-12 (12.2.0-14) ...", "setting up gcc-12 (12.2.0-14)"),
        ("I: installing essential packages...", "installing essential packages"),
        ("Reading package lists...", ""),
        ("", ""),
    ],
)
def test_lines_that_say_how_far_it_is(line: str, words: str) -> None:
    assert in_words(line).startswith(words)
    assert bool(in_words(line)) == bool(words)


def test_a_line_is_told_at_once_and_the_next_after_a_while() -> None:
    told: list[str] = []
    now = [100.0]
    progress = Progress(Output(told.append), clock=lambda: now[0])
    for seconds, name in ((0, "one"), (0.5, "two"), (1.6, "three"), (0.1, "four")):
        now[0] += seconds
        assert progress.hear(f"Setting up {name} (1.0) ...")
        assert progress.hear("Reading state information...")
    assert told == ["       setting up one (1.0)", "       setting up three (1.0)"]


def test_a_line_without_end_is_cut() -> None:
    told: list[str] = []
    Progress(Output(told.append)).hear(f"Setting up {'x' * 500} ...")
    assert len(told[0]) <= 72
