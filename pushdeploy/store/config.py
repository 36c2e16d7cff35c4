"""The config vars of an app go into its next release. Their values are secrets."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from pushdeploy.domain.names import AppName
from pushdeploy.store.database import Stored
from pushdeploy.store.reading import texts
from pushdeploy.store.schema import APPS, RELEASES, SHARED_CONFIG
from pushdeploy.store.wanted import read_wanted, write_wanted


class Config(Stored):
    """Each app has its own vars, and below them lie those that all apps share."""

    def get(self, app: AppName) -> Mapping[str, str]:
        """Return the app's own vars; those of its live release where they are damaged."""
        return read_wanted(self._database, app, (APPS.c.config, RELEASES.c.config), texts, {})

    def replace(self, app: AppName, config: Mapping[str, str]) -> None:
        """Replace the app's own vars."""
        write_wanted(self._database, app, APPS.c.config, dict(config))

    def shared(self) -> Mapping[str, str]:
        with self._database.reading() as connection:
            return shared_config(connection)

    def share(self, changes: Mapping[str, str | None]) -> None:
        """Set, or with None unset, vars of all apps."""
        kept = [{"key": key, "value": value} for key, value in changes.items() if value is not None]
        with self._database.changing() as connection:
            connection.execute(delete(SHARED_CONFIG).where(SHARED_CONFIG.c.key.in_(list(changes))))
            if kept:
                connection.execute(insert(SHARED_CONFIG), kept)

    def whole(self, app: AppName) -> Mapping[str, str]:
        """Return the vars of the app's next release: its own over those that all share."""
        return {**self.shared(), **self.get(app)}


def shared_config(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(SHARED_CONFIG.c.key, SHARED_CONFIG.c.value))
    return {row.key: row.value for row in rows}
