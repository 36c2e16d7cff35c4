"""The installation has small facts about itself, each with a name."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from pushdeploy.store.database import Stored
from pushdeploy.store.schema import META


class Meta(Stored):
    """Each fact is a text under a name."""

    def get(self, name: str) -> str | None:
        with self._database.reading() as connection:
            value = connection.execute(select(META.c.value).where(META.c.name == name)).scalar()
        return None if value is None else str(value)

    def set(self, name: str, value: str) -> None:
        with self._database.changing() as connection:
            connection.execute(delete(META).where(META.c.name == name))
            connection.execute(insert(META).values(name=name, value=value))

    def remove(self, name: str) -> None:
        with self._database.changing() as connection:
            connection.execute(delete(META).where(META.c.name == name))

    def starting_with(self, prefix: str) -> Mapping[str, str]:
        """Return all facts whose name begins with ``prefix``, by name."""
        query = select(META.c.name, META.c.value).order_by(META.c.name)
        with self._database.reading() as connection:
            rows = connection.execute(query.where(META.c.name.startswith(prefix, autoescape=True)))
            return {row.name: row.value for row in rows}
