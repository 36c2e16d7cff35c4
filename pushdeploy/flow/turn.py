"""A turn: whoever changes an app waits for its lock, and then looks at the app again."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import Busy
from pushdeploy.domain.names import AppName
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Turns:
    """The asker reads for whom they wait, and can cancel that wait."""

    store: Store
    locks: AppLocks

    @contextmanager
    def of(
        self, app: AppName, what: str, asker: Asker, *, supersedes: str | None = None
    ) -> Iterator[App]:
        """Hold the app's lock for ``what``: the app as it is then.

        ``UnknownApp`` where there is none, before the wait and after it; ``Overtaken`` by a newer
        one that ``supersedes`` the same.
        """
        self.store.apps.get(app)
        purpose = Purpose(what, asker.by, supersedes)
        with self.locks.hold(app, purpose, asker.output, asker.cancellation):
            yield self.store.apps.get(app)

    @contextmanager
    def to_its_end(self, app: AppName, what: str, asker: Asker) -> Iterator[App]:
        """The same for what nobody can cancel once it has begun."""
        with self.of(app, what, asker) as found:
            asker.cancellation.commit()
            yield found

    @contextmanager
    def for_code(
        self, app: AppName, what: str, asker: Asker, *, supersedes: str | None = None
    ) -> Iterator[App]:
        """The same for what brings new code: ``Busy`` where a person has locked the app, before
        the wait or meanwhile."""
        refuse_locked(self.store.apps.get(app))
        with self.of(app, what, asker, supersedes=supersedes) as found:
            refuse_locked(found)
            yield found

    @contextmanager
    def of_several(self, names: Collection[AppName], what: str, asker: Asker) -> Iterator[None]:
        """Hold the locks of all ``names``, in one order for everybody, whether or not there are
        such apps: two who want the same ones cannot wait for each other."""
        with ExitStack() as held:
            for name in sorted(names):
                held.enter_context(
                    self.locks.hold(name, Purpose(what, asker.by), asker.output, asker.cancellation)
                )
            yield


def refuse_locked(app: App) -> None:
    """Raise ``Busy`` when a person has locked the app, with their message."""
    if app.lock is not None:
        why = f": {app.lock.message}" if app.lock.message else ""
        raise Busy(
            f"{app.name} was locked by {app.lock.by} at {app.lock.at:%Y-%m-%d %H:%M} UTC{why}",
            f"apps:unlock {app.name}",
        )
