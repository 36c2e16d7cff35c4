"""The audit log: before the act and after it, looked through, and bounded."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import pushdeploy.store
from pushdeploy.store import AuditState, Store
from pushdeploy.store.database import Database


def test_a_row_is_there_before_the_act_and_complete_after_it(store: Store) -> None:
    number = store.audit.begin("ada", "ps:restart shop", "shop")
    (before,) = store.audit.list()
    assert (before.state, before.exit_status, before.seconds) == (AuditState.GOING_ON, None, None)
    store.audit.end(number, 75, 1.5)
    (after,) = store.audit.list()
    assert (after.state, after.exit_status, after.seconds) == (AuditState.ENDED, 75, 1.5)
    assert (after.by, after.app, after.command) == ("ada", "shop", "ps:restart shop")


def test_what_a_killed_server_had_going_on_did_not_end(store: Store) -> None:
    store.audit.begin("ada", "ps:restart shop")
    store.audit.record("ada", "apps:create shop", 0)
    store.audit.close_open()
    states = [entry.state for entry in store.audit.list()]
    assert states == [AuditState.ENDED, AuditState.LOST]


def test_rows_are_found_by_app_by_key_and_by_time(store: Store) -> None:
    store.audit.record("ada", "one", 0, "shop")
    store.audit.record("bob", "two", 0, "shop")
    store.audit.record("bob", "three", 0)
    found = store.audit.list

    assert [entry.command for entry in found()] == ["three", "two", "one"]
    assert [entry.command for entry in found(app="shop")] == ["two", "one"]
    assert [entry.command for entry in found(by="bob", app="shop")] == ["two"]
    assert [entry.command for entry in found(limit=1)] == ["three"]
    assert found(since=datetime.now(UTC) + timedelta(minutes=1)) == []
    assert len(found(since=datetime.now(UTC) - timedelta(minutes=1))) == 3


def test_the_oldest_go_by_number_and_by_age(store: Store) -> None:
    for number in range(10):
        store.audit.record("ada", f"command {number}", 0)
    with store._database.changing() as connection:
        old = datetime.now(UTC) - timedelta(days=40)
        connection.execute(text("UPDATE audit SET at = :old WHERE id <= 3"), {"old": str(old)})

    assert store.audit.prune(days=30, most=100) == 3
    assert store.audit.prune(days=30, most=5) == 2
    assert [entry.command for entry in store.audit.list()] == [
        f"command {number}" for number in (9, 8, 7, 6, 5)
    ]
    assert store.audit.prune(days=30, most=5) == 0


def test_a_log_of_the_version_before_is_kept(url: str, tmp_path: Path) -> None:
    path = tmp_path / "pushdeploy.sqlite3"
    config = Config()
    config.set_main_option(
        "script_location", str(Path(pushdeploy.store.__file__).parent / "migrations")
    )
    database = Database(url)
    with closing(database), database.changing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    with closing(sqlite3.connect(path)) as before, before:
        before.execute(
            "INSERT INTO audit (at, key_name, command, exit_status)"
            " VALUES ('2026-01-31 12:00:00', 'ada', 'apps:create shop', 1)"
        )

    with closing(Store.open(url)) as store:
        (entry,) = store.audit.list()
        assert entry.at == datetime(2026, 1, 31, 12, tzinfo=UTC)
        assert (entry.by, entry.command, entry.exit_status) == ("ada", "apps:create shop", 1)
        assert (entry.state, entry.app, entry.seconds) == (AuditState.ENDED, None, None)
        store.audit.end(store.audit.begin("ada", "apps:list"), 0, 0.1)
