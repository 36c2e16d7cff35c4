"""Brings a database to the schema of this version, with the migrations inside the package."""

from pathlib import Path

from sqlalchemy import Connection, inspect, select
from sqlalchemy.sql import column, table

from pushdeploy.domain.errors import BackendDown
from pushdeploy.store.database import Database

REVISION = "0010"
"""The newest migration. Known without Alembic, whose import a short command can do without."""

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def upgrade(database: Database) -> None:
    """Migrate the schema, all steps in one transaction, or do nothing when it is up to date.

    ``BackendDown`` when a newer pushdeploy has written the database.
    """
    with database.reading() as connection:
        if _revision(connection) == REVISION:
            return
    with database.changing() as connection:
        found = _revision(connection)
        if found != REVISION:
            _migrate(connection, found)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    versions = table("alembic_version", column("version_num"))
    found: str | None = connection.execute(select(versions.c.version_num)).scalar()
    return found


def _migrate(connection: Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise BackendDown(
            f"the database has a schema that this version does not know: {found}",
            "install the newer pushdeploy that wrote it",
        ) from error
