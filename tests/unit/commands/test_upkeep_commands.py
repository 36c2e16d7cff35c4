"""upkeep:list tells what the server does by itself, and how it went."""

from datetime import UTC, datetime, timedelta

from pushdeploy.domain.chore_run import ChoreRun
from tests.unit.commands.machine import Machine

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_chores_are_told_with_how_they_went(machine: Machine) -> None:
    machine.context.upkeep.runs.note(
        ChoreRun("router", "all the time", True, "running", AT),
        ChoreRun("host rules", "every 60 s", False, "failed", AT, 0.25, "Docker is down"),
        ChoreRun("leftovers", "every 3600 s", False, "ok", AT, 12.0),
    )

    lines = machine.type("upkeep:list").out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["host rules", "leftovers", "router"]
    assert "every 60 s" in lines[0]
    assert "2026-01-31 12:00:00" in lines[0]
    assert lines[0].endswith("0.25s  failed: Docker is down")
    assert lines[1].endswith("12.0s  ok")
    assert lines[2].endswith("running")
    assert machine.type("upkeep:list --format json").json[0] == {
        "chore": "host rules",
        "when": "every 60 s",
        "last_start": "2026-01-31T12:00:00+00:00",
        "seconds": 0.25,
        "outcome": "failed",
        "hangs": False,
        "trouble": "Docker is down",
        "took": "0.25s",
        "result": "failed: Docker is down",
    }


def test_one_that_hangs_is_told(machine: Machine) -> None:
    began = datetime.now(UTC) - timedelta(hours=2)
    machine.context.upkeep.runs.note(ChoreRun("leftovers", "", False, "running", began))
    assert machine.type("upkeep").out.splitlines()[0].endswith("hangs")
    assert machine.type("upkeep --format json").json[0]["hangs"] is True
