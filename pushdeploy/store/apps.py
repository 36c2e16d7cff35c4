"""Apps have names, settings, a formation and a current release."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Delete, Select, Text, cast, delete, insert, select, update

from pushdeploy.domain.app import App, AppLock
from pushdeploy.domain.errors import UnknownApp, UserError
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.settings import AppSettings
from pushdeploy.store.database import DuplicateRow, Stored
from pushdeploy.store.front_json import front_json
from pushdeploy.store.rows import app_of, formation_json, lock_values
from pushdeploy.store.schema import APPS, META
from pushdeploy.store.settings_column import settings_json

_FORMER = "formerly "
"""What the names of facts about former names begin with; their value is the id of the app."""


class Apps(Stored):
    """An app is known by its name, and its rows by its id."""

    def create(self, name: AppName) -> App:
        """Raise ``UserError`` when there is one of that name. Its id was never another app's."""
        try:
            with self._database.changing() as connection:
                connection.execute(insert(APPS).values(**_fresh(name)))
                connection.execute(_forgotten(name))
        except DuplicateRow as error:
            raise _exists(name) from error
        return self.get(name)

    def get(self, name: AppName) -> App:
        """Raise ``UnknownApp`` when there is none."""
        app = self.find(name)
        if app is None:
            raise UnknownApp(name)
        return app

    def find(self, name: AppName) -> App | None:
        with self._database.reading() as connection:
            row = connection.execute(_apps().where(APPS.c.name == str(name))).first()
        return app_of(row) if row else None

    def list(self) -> Sequence[App]:
        """List all apps in the order of their names."""
        with self._database.reading() as connection:
            return [app_of(row) for row in connection.execute(_apps().order_by(APPS.c.name))]

    def rename(self, name: AppName, new: AppName, *, remember: bool = True) -> None:
        """Rename the app and all its rows; ``remember`` the old name for ``renamed``."""
        try:
            with self._database.changing() as connection:
                app_id = connection.execute(
                    update(APPS)
                    .where(APPS.c.name == str(name))
                    .values(name=str(new))
                    .returning(APPS.c.id)
                ).scalar()
                if app_id is None:
                    raise UnknownApp(name)
                connection.execute(_forgotten(name, new))
                if remember:
                    former = {"name": f"{_FORMER}{name}", "value": str(app_id)}
                    connection.execute(insert(META).values(former))
        except DuplicateRow as error:
            raise _exists(new) from error

    def renamed(self, name: AppName) -> AppName | None:
        """Return the present name of the app that had ``name``, until another takes it."""
        with self._database.reading() as connection:
            app_id = connection.execute(
                select(META.c.value).where(META.c.name == f"{_FORMER}{name}")
            ).scalar()
            if app_id is None:
                return None
            now = connection.execute(
                select(APPS.c.name).where(cast(APPS.c.id, Text) == app_id)
            ).scalar()
        return None if now is None else AppName(now)

    def destroy(self, name: AppName) -> None:
        """Remove all rows of the app; slugs stay until nothing refers to them."""
        with self._database.changing() as connection:
            if not connection.execute(delete(APPS).where(APPS.c.name == str(name))).rowcount:
                raise UnknownApp(name)

    def set_settings(self, name: AppName, settings: AppSettings) -> None:
        self._set(name, settings=settings_json(settings))

    def set_front(self, name: AppName, rules: FrontRules) -> None:
        self._set(name, front=front_json(rules))

    def set_formation(self, name: AppName, formation: Mapping[ProcessType, int]) -> None:
        """Replace the formation that was there before."""
        self._set(name, formation=formation_json(formation))

    def set_stopped(self, name: AppName, stopped: bool) -> None:
        self._set(name, stopped=stopped)

    def set_lock(self, name: AppName, lock: AppLock | None) -> None:
        """Lock the app, or unlock it with None."""
        self._set(name, **lock_values(lock))

    def set_put_back(self, name: AppName, snapshot: int | None) -> None:
        """Note the snapshot to be restored before anything runs, or None when that is done."""
        self._set(name, put_back=snapshot)

    def _set(self, app: AppName, /, **values: object) -> None:
        with self._database.changing() as connection:
            changed = connection.execute(
                update(APPS).where(APPS.c.name == str(app)).values(**values)
            )
            if not changed.rowcount:
                raise UnknownApp(app)


def _forgotten(*names: AppName) -> Delete:
    """Of names that are taken now, it does not count any more who had them."""
    return delete(META).where(META.c.name.in_([f"{_FORMER}{name}" for name in names]))


def _apps() -> Select[Any]:
    return select(
        APPS.c.id,
        APPS.c.name,
        APPS.c.created_at,
        APPS.c.settings,
        APPS.c.formation,
        APPS.c.current_version,
        APPS.c.stopped,
        APPS.c.lock_by,
        APPS.c.lock_message,
        APPS.c.lock_at,
        APPS.c.put_back,
        APPS.c.front,
    )


def _fresh(name: AppName) -> dict[str, Any]:
    return {
        "name": str(name),
        "created_at": datetime.now(UTC),
        "settings": settings_json(AppSettings()),
        "formation": {},
        "config": {},
        "disks": [],
        "stopped": False,
        "current_version": None,
        "last_version": 0,
    }


def _exists(name: AppName) -> UserError:
    return UserError(f"app {name} exists already", "apps:list shows them all")
