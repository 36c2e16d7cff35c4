"""The config vars that an app's next release gets. Their values are secrets."""

from collections.abc import Mapping

from pushdeploy.domain.names import AppName
from pushdeploy.store.database import Database
from pushdeploy.store.schema import APPS
from pushdeploy.store.wanted import read_wanted, write_wanted


class Config:
    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, app: AppName) -> Mapping[str, str]:
        wanted: Mapping[str, str] = read_wanted(self._database, app, APPS.c.config)
        return wanted

    def replace(self, app: AppName, config: Mapping[str, str]) -> None:
        write_wanted(self._database, app, APPS.c.config, dict(config))
