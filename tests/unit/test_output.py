"""What a person reads: the marks before the lines, who gets them, times and columns."""

import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.errors import BuildFailed, UserError
from pushdeploy.output import Output, Quiet, columns, duration


def test_every_kind_of_line_has_its_mark() -> None:
    lines: list[str] = []
    output = Output(lines.append)
    output.headline("Release v3")
    output.detail("two\n\nlines")
    output.trouble("oh\nno")
    output.line("  the app's own  ")
    assert lines == [
        "=====> Release v3",
        "       two",
        "",
        "       lines",
        " !     oh",
        " !     no",
        "  the app's own  ",
    ]


def test_step_ends_with_its_time_when_it_ended_well() -> None:
    lines: list[str] = []
    with Output(lines.append).step("Building"):
        pass
    assert lines[0] == "-----> Building"
    assert lines[1].startswith("       done in 0.0")


def test_step_that_failed_does_not_claim_to_be_done() -> None:
    lines: list[str] = []
    with pytest.raises(ZeroDivisionError), Output(lines.append).step("Building"):
        raise ZeroDivisionError
    assert lines == ["-----> Building"]


def test_trouble_goes_to_its_own_sink_where_there_is_one() -> None:
    lines: list[str] = []
    trouble: list[str] = []
    output = Output(lines.append, trouble_sink=trouble.append)
    output.line("fine")
    output.trouble("not")
    assert (lines, trouble) == (["fine"], [" !     not"])


def test_another_sink_sees_lines_and_trouble_in_their_order() -> None:
    lines: list[str] = []
    trouble: list[str] = []
    record: list[str] = []
    more: list[str] = []
    output = Output(lines.append, trouble_sink=trouble.append)
    both = output.also(record.append).also(more.append)
    both.line("fine")
    both.trouble("not")
    output.line("not for the record")
    assert record == more == ["fine", " !     not"]
    assert lines == ["fine", "not for the record"]
    assert trouble == [" !     not"]


def test_behind_a_prefix_trouble_still_goes_to_its_own_sink() -> None:
    lines: list[str] = []
    trouble: list[str] = []
    record: list[str] = []
    output = Output(lines.append, trouble_sink=trouble.append).prefixed("[shop] ")
    output.also(record.append).detail("fine")
    output.also(record.append).trouble("not")
    assert lines == ["[shop]        fine"]
    assert trouble == ["[shop]  !     not"]
    assert record == ["       fine", " !     not"]


def test_failure_says_what_failed_what_it_said_what_serves_and_what_to_type() -> None:
    lines: list[str] = []
    error = BuildFailed("build failed", "push again", exit_code=2, log_tail=["pip:", "", "no"])
    error.serving = "v2 goes on serving"
    Output(lines.append).failure(error)
    assert lines == [
        " !     build failed",
        " !     the end of its log:",
        " !         pip:",
        " !",
        " !         no",
        " !     v2 goes on serving",
        " !     push again",
    ]


def test_a_log_that_has_just_been_shown_is_not_quoted_once_more() -> None:
    lines: list[str] = []
    output = Output(lines.append)
    kept = output.also(lambda _: None)
    kept.detail("pip:")
    kept.detail("no")
    output.failure(BuildFailed("build failed", log_tail=["pip:", "", "no"]))
    assert lines == ["       pip:", "       no", " !     build failed"]


def test_details_of_ours_stand_under_no_heading() -> None:
    lines: list[str] = []
    Output(lines.append).failure(BuildFailed("nobody knows it", details=["found: nothing"]))
    assert lines == [" !     nobody knows it", " !         found: nothing"]


def test_failure_without_more_to_say_is_one_line() -> None:
    lines: list[str] = []
    Output(lines.append).failure(UserError("no such thing"))
    assert lines == [" !     no such thing"]


def test_quiet_shows_nothing_but_to_those_who_ask() -> None:
    lines: list[str] = []
    Quiet().trouble("nobody hears")
    Quiet().also(lines.append).line("somebody hears")
    assert lines == ["somebody hears"]


@pytest.fixture
def hasty_switches() -> Iterator[None]:
    """Threads take turns as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_lines_of_many_threads_are_never_mixed(hasty_switches: None) -> None:
    text: list[str] = []

    def slow_sink(line: str) -> None:
        for letter in f"{line}\n":
            text.append(letter)  # noqa: PERF402 - one after another, so that others may come between

    output = Output(slow_sink)
    others = [output, output.also(lambda _: None)]

    def talk(output: Output, word: str) -> None:
        for _ in range(200):
            output.line(word)

    threads = [
        threading.Thread(target=talk, args=(others[n % 2], "abcdefgh"[n] * 50)) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = "".join(text).split("\n")[:-1]
    assert len(lines) == 1600
    assert all(len(line) == 50 and len(set(line)) == 1 for line in lines)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.00s"),
        (0.4249, "0.42s"),
        (9.99, "9.99s"),
        (9.999, "10.0s"),
        (59.94, "59.9s"),
        (59.96, "1m 00s"),
        (200, "3m 20s"),
        (3599.6, "1h 00m"),
        (7500, "2h 05m"),
        (360_000, "100h 00m"),
    ],
)
def test_duration_is_shown_in_the_unit_that_a_person_would_use(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@given(st.floats(0, 200_000))
def test_no_duration_shows_sixty_of_anything(seconds: float) -> None:
    assert "60" not in duration(seconds).replace("h", " h").replace("m", " m").split()
    assert duration(seconds) not in {"10.00s", "60.0s"}


def test_columns_are_two_spaces_apart_and_not_padded_at_the_end() -> None:
    rows = [("shop", 3, "live"), ("a-longer-name", 12, "")]
    assert columns(rows, ("APP", "N", "STATUS")) == [
        "APP            N   STATUS",
        "shop           3   live",
        "a-longer-name  12",
    ]
    assert columns([]) == []


@pytest.mark.parametrize("show", [lambda o: o.detail(""), lambda o: o.trouble("")])
def test_empty_detail_is_an_empty_line_and_not_nothing(show: Callable[[Output], None]) -> None:
    lines: list[str] = []
    show(Output(lines.append))
    assert len(lines) == 1
