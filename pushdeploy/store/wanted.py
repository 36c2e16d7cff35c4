"""Some columns of an app hold, as JSON, the facts that its next release is wanted to have."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Column, select, update

from pushdeploy.domain.errors import BackendDown, UnknownApp
from pushdeploy.domain.names import AppName
from pushdeploy.store.database import Database
from pushdeploy.store.reading import Reading
from pushdeploy.store.schema import APPS, RELEASES

V = TypeVar("V")


def read_wanted(
    database: Database,
    app: AppName,
    columns: tuple[Column[Any], Column[Any]],
    read: Callable[[Any], V],
    fresh: V,
) -> V:
    """Read the first of ``columns``, or where it is damaged the second, of the live release.

    ``fresh`` where it is damaged before the first release; ``BackendDown`` where both are damaged:
    nobody can make them up, and a release without them would do harm.
    """
    current = (RELEASES.c.app_id == APPS.c.id) & (RELEASES.c.version == APPS.c.current_version)
    query = select(*columns, APPS.c.current_version).select_from(
        APPS.join(RELEASES, current, isouter=True)
    )
    with database.reading() as connection:
        row = connection.execute(query.where(APPS.c.name == str(app))).first()
    if row is None:
        raise UnknownApp(app)
    for stored in row[:2]:
        found = Reading().whole("", lambda stored=stored: read(stored), None)  # type: ignore[misc]
        if found is not None:
            return found
    if row.current_version is None:
        return fresh
    raise BackendDown(
        f"the {columns[0].name} of {app} cannot be read in the database",
        "stop the server, and put a backup of the database back",
    )


def write_wanted(database: Database, app: AppName, column: Column[Any], value: object) -> None:
    with database.changing() as connection:
        wanted = update(APPS).where(APPS.c.name == str(app)).values({column: value})
        if not connection.execute(wanted).rowcount:
            raise UnknownApp(app)
