"""audit: changes, secrets that were read, and what was refused."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from pushdeploy.commands.audit import parse_since
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import KeyName
from tests.unit.commands.machine import Machine, key_of

BOB = KeyName("bob")


def test_changes_and_reads_of_secrets_are_shown_with_how_they_ended(machine: Machine) -> None:
    machine.store.keys.add(key_of("bob"))
    machine.type("apps:create shop")
    machine.type("config:set shop TOKEN=s3cret", by=BOB)
    machine.type("config:get shop TOKEN", by=BOB)
    machine.type("config:get shop NONE", by=BOB)
    machine.type("config:export shop", by=BOB)
    machine.type("config shop", by=BOB)
    machine.type("apps:list", by=BOB)

    rows = machine.type("audit --by bob --format json").json
    assert [(row["command"], row["exit_status"]) for row in rows] == [
        ("config shop", 0),
        ("config:export shop", 0),
        ("config:get shop NONE", 1),
        ("config:get shop TOKEN", 0),
        ("config:set shop 'TOKEN=…'", 0),
    ]
    assert {row["app"] for row in rows} == {"shop"}
    assert all(row["seconds"] >= 0 for row in rows)


def test_what_is_refused_is_audited_without_its_secrets(machine: Machine) -> None:
    stranger = KeyName("mallory")
    machine.type("apps:destroy shop --force", by=stranger)
    machine.type("congif:set shop TOKEN=s3cret")
    machine.type("config:set shop")
    machine.type("config:set shop 'TOKEN=s3cret")
    machine.type("rnu shop mysql -ps3cret")
    machine.type("apps:destroy nothere --force")
    machine.type("apps:create shop")
    machine.type("config:set shop TOKEN s3cret")
    machine.type("--app shop cofnig:set TOKEN: s3cret")
    machine.type("domains:add shop 10.0.0.1")
    rows = machine.type("audit --format json").json
    assert "s3cret" not in str(rows)
    assert [row["command"].split()[0] for row in rows][::-1] == [
        "apps:destroy",
        "congif:set",
        "config:set",
        "config:set",
        "rnu",
        "apps:destroy",
        "apps:create",
        "config:set",
        "cofnig:set",
        "domains:add",
    ]
    assert [row["exit_status"] for row in rows][::-1] == [1, 1, 20, 1, 1, 20, 0, 1, 1, 1]
    assert (rows[0]["command"], rows[0]["app"]) == ("domains:add shop 10.0.0.1", "shop")
    assert rows[1]["app"] == rows[2]["app"] == "shop"
    assert rows[-1]["by"] == "mallory"


def test_rows_are_chosen_by_app_time_and_number(machine: Machine) -> None:
    for app in ("shop", "blog"):
        machine.type(f"apps:create {app}")
    assert [row["app"] for row in machine.type("audit --app blog --format json").json] == ["blog"]
    assert len(machine.type("audit --limit 1 --format json").json) == 1
    assert len(machine.type("audit --since 1h --format json").json) == 2
    assert machine.type("audit --since 2999-01-01 --format json").json == []
    assert machine.type("audit --since yesterday").status == 1
    yesterday, blog, _shop = machine.type("audit").out.splitlines()
    assert "apps:create blog" in blog
    assert yesterday.split()[-2:] == ["--since", "yesterday"]


def test_the_app_is_kept_that_a_flag_names(machine: Machine) -> None:
    machine.live()
    machine.type("--app shop config:get NONE")
    machine.type("ps:restart -a shop")
    assert [row["app"] for row in machine.type("audit --format json").json] == ["shop", "shop"]


def test_a_row_is_written_before_the_act(machine: Machine) -> None:
    """What kills the process in the middle leaves it open, for the next start to find."""

    class Killed(BaseException):
        """Nothing of ours."""

    machine.live()

    def killed(*_: object) -> None:
        (row,) = machine.store.audit.list()
        assert (row.command, row.exit_status, row.state.value) == (
            "ps:restart shop",
            None,
            "going on",
        )
        raise Killed

    machine.context.store.apps.get = killed  # type: ignore[method-assign, assignment]
    with pytest.raises(Killed):
        machine.type("ps:restart shop")


def test_a_log_that_cannot_be_written_is_told_and_stops_nobody(machine: Machine) -> None:
    with closing(sqlite3.connect(machine.home / "pushdeploy.sqlite3")) as database, database:
        database.execute("DROP TABLE audit")
    done = machine.type("apps:create shop")
    assert (done.status, "not in the audit log" in done.errors) == (0, True)


def test_times_are_read_as_people_write_them() -> None:
    assert parse_since("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert parse_since("2026-01-31T12:00:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    age = datetime.now(UTC) - parse_since("2h")
    assert 7199 < age.total_seconds() < 7260
    for text in ("", "soon", "999999999999d", "-1h"):
        with pytest.raises(UserError, match="is not a time"):
            parse_since(text)
