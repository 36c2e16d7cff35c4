"""The live release of an app is asked for by all that cannot do without one."""

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import Release
from pushdeploy.store import Store


def live_release(store: Store, app: AppName, hint: str = "") -> Release:
    """Raise ``UserError`` where there is none; ``hint`` says what to type then."""
    live = store.releases.current(app)
    if live is None:
        raise UserError(
            f"{app} has no live release", hint or f"git push deploy main, or releases {app}"
        )
    return live
