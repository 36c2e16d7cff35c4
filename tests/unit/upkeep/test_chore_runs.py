"""How chores went: kept in a file that may be damaged, or not be written at all."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pushdeploy.domain.chore_run import ChoreRun
from pushdeploy.upkeep.chore_runs import ChoreRuns, kept_runs

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
RUNS = [
    ChoreRun("leftovers", "every 3600 s", False, "failed", AT, 1.5, "Docker does not answer"),
    ChoreRun("router", "all the time", True),
]

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "garbage": lambda _: b"\xff\xfe",
    "of another kind": lambda _: b'{"chore": 1}',
    "with other facts": lambda _: b'[{"chore": "router"}]',
    "with other values": lambda content: content.replace(b"failed", b"fallen"),
    "with another moment": lambda content: content.replace(b"2026-01-31", b"yesterday"),
}


def test_runs_are_read_back_as_they_were(tmp_path: Path) -> None:
    runs = ChoreRuns(tmp_path / "upkeep.json")
    runs.note(*RUNS)
    assert runs.all() == RUNS
    assert kept_runs(tmp_path / "upkeep.json") == RUNS
    assert [path.name for path in tmp_path.iterdir()] == ["upkeep.json"]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_cannot_be_read_tells_nothing(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "upkeep.json"
    ChoreRuns(path).note(*RUNS)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert kept_runs(path) == []
    assert kept_runs(tmp_path / "missing") == []


def test_a_file_that_cannot_be_written_is_told_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runs = ChoreRuns(tmp_path / "gone" / "upkeep.json")
    runs.note(RUNS[0])
    runs.note(RUNS[1])
    assert runs.all() == RUNS
    assert caplog.text.count("cannot be written") == 1
