"""Kept logs: what is written is read back, and the folder does not grow for ever."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pushdeploy.domain.container import LogLine
from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.task import Slot
from pushdeploy.run.logbook import FILES_KEPT, Logbook, matches

APP = AppName("shop")
WEB1 = Slot(ProcessType("web"), 1)
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _line(number: int, text: str) -> LogLine:
    return LogLine(START + timedelta(microseconds=number), 2 if number % 2 else 1, text)


def test_lines_are_read_as_they_were_kept(tmp_path: Path) -> None:
    lines = [_line(0, "hello"), _line(1, ""), _line(2, "  two  spaces "), _line(3, "ü\r")]
    book = Logbook(tmp_path)
    book.keep(APP, WEB1, 3, "f" * 64, lines)
    assert book.read(APP, None, 100) == [("web.1", line) for line in lines]
    assert book.read(APP, None, 2) == [("web.1", line) for line in lines[-2:]]
    assert book.read(APP, "worker", 100) == []
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["web.1.3.ffffffff.log"]


def test_the_newest_files_of_an_app_stay(tmp_path: Path) -> None:
    book = Logbook(tmp_path)
    for version in range(FILES_KEPT + 5):
        book.keep(APP, WEB1, version, f"{version:064}", [_line(version, str(version))])
    texts = sorted(int(line.text) for _, line in book.read(APP, None, 10))
    assert texts == list(range(5, FILES_KEPT + 5))


def test_logs_that_cannot_be_kept_are_no_reason_to_fail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "shop").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        Logbook(tmp_path).keep(APP, WEB1, 1, "f" * 64, [_line(1, "x")])
    assert "could not be kept" in caplog.text


@pytest.mark.parametrize(
    ("slot", "process", "expected"),
    [
        ("web.1", None, True),
        ("web.1", "web", True),
        ("web.1", "web.1", True),
        ("web.12", "web.1", False),
        ("web-x.1", "web", False),
    ],
)
def test_a_process_is_a_type_or_a_slot(slot: str, process: str | None, expected: bool) -> None:
    assert matches(slot, process) is expected


def test_a_renamed_apps_logs_follow_it_and_a_destroyed_ones_are_gone(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path)
    line = LogLine(datetime(2026, 1, 31, 12, tzinfo=UTC), 1, "hello")
    logbook.keep(AppName("shop"), Slot(ProcessType("web"), 1), 1, "c" * 64, [line])
    logbook.keep(AppName("store"), Slot(ProcessType("web"), 1), 1, "d" * 64, [line, line])

    logbook.rename(AppName("shop"), AppName("store"))

    assert logbook.read(AppName("store"), None, 9) == [("web.1", line)]
    assert logbook.read(AppName("shop"), None, 9) == []
    logbook.forget(AppName("store"))
    assert logbook.read(AppName("store"), None, 9) == []
