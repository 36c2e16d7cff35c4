"""People give host names to apps; the default one is computed and not stored."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, select

from pushdeploy.domain.errors import UnknownApp, UserError
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.store.database import DuplicateRow, Stored
from pushdeploy.store.schema import APPS, DOMAINS


class Domains(Stored):
    """A host name belongs to one app at a time."""

    def of(self, app: AppName) -> Sequence[HostName]:
        """List the host names of the app in the order in which they were added."""
        query = select(DOMAINS.c.host).join(APPS).where(APPS.c.name == str(app))
        with self._database.reading() as connection:
            hosts = connection.execute(query.order_by(DOMAINS.c.id)).scalars().all()
        return [HostName(host) for host in hosts]

    def all(self) -> Mapping[AppName, Sequence[HostName]]:
        """Return the host names of every app that has one."""
        query = select(APPS.c.name, DOMAINS.c.host).join(DOMAINS).order_by(DOMAINS.c.id)
        found: dict[AppName, list[HostName]] = {}
        with self._database.reading() as connection:
            for app, host in connection.execute(query):
                found.setdefault(AppName(app), []).append(HostName(host))
        return found

    def add(self, app: AppName, host: HostName) -> None:
        """Raise ``UserError`` that names the app which has the host already."""
        try:
            with self._database.changing() as connection:
                app_id = connection.execute(
                    select(APPS.c.id).where(APPS.c.name == str(app))
                ).scalar()
                if app_id is None:
                    raise UnknownApp(app)
                connection.execute(insert(DOMAINS).values(host=str(host), app_id=app_id))
        except DuplicateRow as error:
            owner = self._owner(host)
            raise UserError(
                f"{host} belongs to {owner} already", f"domains:remove {owner} {host}"
            ) from error

    def remove(self, app: AppName, host: HostName) -> None:
        """Raise ``UserError`` when the app has no such host."""
        owner_id = select(APPS.c.id).where(APPS.c.name == str(app)).scalar_subquery()
        gone = delete(DOMAINS).where(DOMAINS.c.host == str(host), DOMAINS.c.app_id == owner_id)
        with self._database.changing() as connection:
            if not connection.execute(gone).rowcount:
                raise UserError(f"{app} has no domain {host}", f"domains:list {app}")

    def _owner(self, host: HostName) -> str:
        query = select(APPS.c.name).join(DOMAINS).where(DOMAINS.c.host == str(host))
        with self._database.reading() as connection:
            return str(connection.execute(query).scalar() or "another app")
