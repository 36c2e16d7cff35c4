"""Some columns of an app hold, as JSON, the facts that its next release is wanted to have."""

from typing import Any

from sqlalchemy import Column, select, update

from pushdeploy.domain.errors import UnknownApp
from pushdeploy.domain.names import AppName
from pushdeploy.store.database import Database
from pushdeploy.store.schema import APPS


def read_wanted(database: Database, app: AppName, column: Column[Any]) -> Any:
    with database.reading() as connection:
        row = connection.execute(select(column).where(APPS.c.name == str(app))).first()
    if row is None:
        raise UnknownApp(app)
    return row[0]


def write_wanted(database: Database, app: AppName, column: Column[Any], value: object) -> None:
    with database.changing() as connection:
        wanted = update(APPS).where(APPS.c.name == str(app)).values({column: value})
        if not connection.execute(wanted).rowcount:
            raise UnknownApp(app)
