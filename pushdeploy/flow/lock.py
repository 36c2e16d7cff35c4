"""Lock and cancel: a person keeps deploys from an app, or stops the one that is going on."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pushdeploy.domain.app import AppLock
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.store import Store

_MOST_MESSAGE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Locking:
    """A person locks an app against pushes and promotions, or unlocks it."""

    store: Store
    locks: AppLocks

    def lock(self, app: AppName, message: str, by: KeyName) -> Purpose | None:
        """Refuse pushes and promotions from now on: what is going on still, to its end."""
        shown = _one_line(message)[:_MOST_MESSAGE_CHARACTERS]
        self.store.apps.set_lock(app, AppLock(by, shown, datetime.now(UTC)))
        return self._going_on(app)

    def unlock(self, app: AppName) -> None:
        """Let them in again; nothing happens where the app is not locked."""
        self.store.apps.set_lock(app, None)

    def cancel(self, app: AppName, by: KeyName) -> Purpose:
        """Stop the deploy that is going on: what it was. ``UserError`` where it is too late."""
        going_on = self._going_on(app)
        done = self.locks.cancel(app, f"builds:cancel by {by}")
        if done is None or going_on is None:
            raise UserError(f"nothing is being deployed to {app}", f"releases {app}")
        if not done:
            raise UserError(
                f"too late: the {going_on.what} goes on to its end, for its release command has"
                " begun or traffic is being switched",
                f"releases:output {app} shows how it goes on",
            )
        return going_on

    def _going_on(self, app: AppName) -> Purpose | None:
        holder = self.locks.holder(app)
        return holder[0] if holder else None


def _one_line(text: str) -> str:
    """Without what would move the cursor, or worse, on somebody else's terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
