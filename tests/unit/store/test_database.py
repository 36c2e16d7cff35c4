"""The database itself: its file, its schema, its plans, its failures."""

import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Select, Update, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.store import Store, ledger
from pushdeploy.store.schema import METADATA
from pushdeploy.store.upgrade import REVISION
from tests.unit.samples import HOST, SHOP, candidate


def test_files_are_readable_by_their_owner_alone(url: str, tmp_path: Path) -> None:
    with closing(Store.open(url)) as store:
        store.apps.create(SHOP)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {
        "pushdeploy.sqlite3": 0o600,
        "pushdeploy.sqlite3-wal": 0o600,
        "pushdeploy.sqlite3-shm": 0o600,
    }


def test_file_that_others_could_read_is_closed_to_them(url: str, tmp_path: Path) -> None:
    (tmp_path / "pushdeploy.sqlite3").touch(0o644)
    Store.open(url).close()
    assert stat.S_IMODE((tmp_path / "pushdeploy.sqlite3").stat().st_mode) == 0o600


def test_every_connection_is_durable_and_checks_foreign_keys(store: Store) -> None:
    with store._database.reading() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "synchronous": 2,
    }


def test_migrations_end_in_the_tables_that_the_code_names(store: Store) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_newest_migration_is_the_one_that_upgrade_looks_for() -> None:
    from pushdeploy.store import migrations

    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert scripts.get_current_head() == REVISION


def test_store_opened_by_many_at_once_is_migrated_once(url: str) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(6)

    def open_and_use() -> None:
        barrier.wait()
        try:
            with closing(Store.open(url)) as store:
                store.apps.list()
        except BackendDown as error:
            failures.append(error)

    threads = [threading.Thread(target=open_and_use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_half_done_migration_leaves_nothing_behind(url: str, tmp_path: Path) -> None:
    foreign = sqlite3.connect(tmp_path / "pushdeploy.sqlite3")
    foreign.execute("CREATE TABLE releases (in_the_way)")
    foreign.commit()
    with pytest.raises(BackendDown, match="already exists"):
        Store.open(url)
    assert foreign.execute("SELECT name FROM sqlite_master").fetchall() == [("releases",)]
    foreign.close()


def test_database_of_a_newer_version_is_refused_and_left_alone(store: Store, url: str) -> None:
    with store._database.changing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BackendDown, match="does not know: 9999"):
        Store.open(url)


def test_missing_directory_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(BackendDown, match="nowhere/db cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}/nowhere/db")


def test_file_that_is_no_database_is_backend_down(url: str, tmp_path: Path) -> None:
    (tmp_path / "pushdeploy.sqlite3").write_bytes(os.urandom(4096))
    with pytest.raises(BackendDown, match="not a database"):
        Store.open(url)


def test_database_in_memory_is_refused_for_threads_would_each_have_their_own() -> None:
    with pytest.raises(BackendDown, match="must be a file"):
        Store.open("sqlite://")


def test_errors_of_the_database_never_show_config_values(store: Store) -> None:
    store.apps.create(SHOP)
    with store._database.changing() as connection:
        connection.execute(text("DROP TABLE releases"))
    with pytest.raises(BackendDown) as caught:
        store.releases.create(candidate(config={"A": "s3cret"}))
    assert "s3cret" not in str(caught.value) + str(caught.value.__cause__)


def test_change_that_fails_in_the_middle_changes_nothing(store: Store) -> None:
    store.apps.create(SHOP)
    with pytest.raises(UserError, match="no release v1"):
        store.releases.make_live(SHOP, 1)
    with store._database.changing() as connection:
        connection.execute(text("DROP TABLE domains"))
    with pytest.raises(BackendDown):
        store.domains.add(SHOP, HOST)
    assert store.apps.get(SHOP).current_version is None


@pytest.mark.parametrize(
    ("query", "table"),
    [
        (ledger.one(SHOP, 3), "releases"),
        (ledger.newest(SHOP, 15), "releases"),
        (ledger.current(SHOP), "releases"),
        (ledger.unfinished(), "releases"),
        (ledger.refs_pending(), "releases"),
        (ledger.steps(SHOP, 3), "release_steps"),
    ],
)
def test_queries_of_the_ledger_search_an_index_however_long_it_is(
    store: Store, query: Select[tuple[object, ...]], table: str
) -> None:
    plan = _plan(store, query)
    assert any(step.startswith(f"SEARCH {table} USING") for step in plan), plan
    assert not any(step.startswith("SCAN") for step in plan), plan


def test_live_release_is_found_by_the_index_that_allows_no_second_one(store: Store) -> None:
    plan = _plan(store, ledger.retire_others(SHOP, 3))
    assert any("USING INDEX one_live_release_per_app" in step for step in plan), plan


def test_newest_releases_are_read_from_the_index_without_sorting(store: Store) -> None:
    assert not any("TEMP B-TREE" in step for step in _plan(store, ledger.newest(SHOP, 15)))


def test_statements_compile_for_postgres_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in METADATA.sorted_tables:
        assert "AUTOINCREMENT" not in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            str(CreateIndex(index).compile(dialect=dialect))
    for query in (ledger.current(SHOP), ledger.refs_pending(), ledger.point_at(SHOP, 1)):
        str(query.compile(dialect=dialect))


def _plan(store: Store, query: Select[tuple[object, ...]] | Update) -> list[str]:
    """With parameters as in real life: a literal may use an index that a parameter may not."""
    with store._database.reading() as connection:
        compiled = query.compile(connection.engine, compile_kwargs={"render_postcompile": True})
        values = tuple(compiled.params[name] for name in compiled.positiontup or ())
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)
        return [row.detail for row in rows]
