"""Whether the database is there and can be used."""

from pushdeploy.doctor.check import Check, Installation, tried
from pushdeploy.domain.errors import BackendDown, PushdeployError
from pushdeploy.store import Store


def _opened(installation: Installation) -> str:
    settings, home = installation.settings, installation.home
    if settings.database is None and not home.database.exists():
        raise PushdeployError(f"{home.database} is missing", installation.init)
    if settings.database is None and not home.database.stat().st_size:
        raise PushdeployError(f"{home.database} is empty", "put a backup of it back")
    try:
        Store.open(settings.database_url).close()
    except BackendDown as error:
        hint = error.hint if "is damaged" in error.message else "start it, or restore a backup"
        raise BackendDown(error.message, hint) from error
    return settings.database_url


CHECK = Check(30, lambda installation: [tried("database", lambda: _opened(installation))])
