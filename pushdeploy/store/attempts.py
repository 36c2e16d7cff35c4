"""The ledger of attempts says how far each name has come with its automatic certificate."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, delete, insert, select

from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.names import HostName
from pushdeploy.store.database import Stored
from pushdeploy.store.schema import ATTEMPTS


class Attempts(Stored):
    """The ledger has one row a name; the certificate that comes of it is kept elsewhere."""

    def all(self) -> Mapping[HostName, Attempt]:
        with self._database.reading() as connection:
            found = map(_attempt_of, connection.execute(select(ATTEMPTS)))
            return {attempt.name: attempt for attempt in found}

    def get(self, name: HostName) -> Attempt:
        """Return the attempt of the name, a fresh one where there was none."""
        query = select(ATTEMPTS).where(ATTEMPTS.c.name == str(name))
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return Attempt(name) if row is None else _attempt_of(row)

    def save(self, attempt: Attempt) -> None:
        values = {**asdict(attempt), "name": str(attempt.name)}
        with self._database.changing() as connection:
            connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.name == values["name"]))
            connection.execute(insert(ATTEMPTS).values(values))

    def remove(self, name: HostName) -> None:
        with self._database.changing() as connection:
            connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.name == str(name)))


def _attempt_of(row: Row[Any]) -> Attempt:
    return Attempt(**{**row._mapping, "name": HostName(row.name)})  # noqa: SLF001 - documented
