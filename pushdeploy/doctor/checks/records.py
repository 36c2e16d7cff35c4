"""Whether all that the database holds of apps and releases can be read."""

from collections.abc import Iterator

from pushdeploy.doctor.check import Check, Installation
from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.finding import Finding
from pushdeploy.store import Store


def _look(installation: Installation) -> Iterator[Finding]:
    """Nothing is told of a database that cannot be opened: the check of that one does."""
    settings, home = installation.settings, installation.home
    if settings.database is None and not home.database.exists():
        return
    try:
        store = Store.open(settings.database_url)
    except BackendDown:
        return
    found = store.damage()
    store.close()
    yield from (Finding("records", False, str(each), each.mend) for each in found)
    if not found:
        yield Finding("records", True, "all of them can be read")


CHECK = Check(31, _look)
