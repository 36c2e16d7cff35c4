"""New apps: each is there whole, with its repository and its address, or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pushdeploy.certificates.choice import Certificates
from pushdeploy.domain.errors import RenamedApp, UnknownApp
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.flow.converge import Converger
from pushdeploy.route.sites import Sites
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class NewApps:
    """A new app is made whole, or not at all."""

    store: Store
    sites: Sites
    certificates: Certificates
    refs: Refs
    converger: Converger

    def create(self, app: AppName) -> None:
        """Make an app. ``UserError`` as of ``made``."""
        with self.made(app):
            pass

    def for_push(self, app: AppName) -> bool:
        """Make the app that somebody pushes to, and tell whether there was none. Until it is live
        its address tells so. ``RenamedApp`` where it has another name now."""
        if self.store.apps.find(app) is not None:
            return False
        if self.store.apps.renamed(app) is not None:
            raise self.missing(app)
        with self.made(app, by_push=True):
            return True

    def missing(self, app: AppName) -> UnknownApp:
        """Return an error with the present name of an app that had this one."""
        now = self.store.apps.renamed(app)
        return (
            UnknownApp(app)
            if now is None
            else RenamedApp(app, now, f"git remote set-url deploy deploy:{now}")
        )

    def abandon(self, app: AppName) -> None:
        """Remove an app that a refused first push made, unless something of it is worth keeping."""
        if self.store.apps.find(app) and not (
            self.store.releases.latest(app)
            or self.store.config.get(app)
            or self.store.disks.of(app)
            or self.store.domains.of(app)
        ):
            self.store.apps.destroy(app)
            self.converger.forget(app, grace_seconds=0)

    @contextmanager
    def made(self, app: AppName, *, by_push: bool = False) -> Iterator[None]:
        """An app that an error inside takes away again.

        ``UserError`` where there is one of that name, or its address belongs to another.
        """
        self.sites.refuse_taken_name(app)
        with ExitStack() as undo:
            self.store.apps.create(app)
            undo.callback(self.store.apps.destroy, app)
            # Its repository tells it from an app that a push made: a failed push leaves it alone.
            if not by_push and self.refs.ensure(app):
                undo.callback(self.refs.remove, app)
            undo.callback(self.converger.forget, app, grace_seconds=0)
            self.certificates.show()
            self.converger.refresh_route(app)
            yield
            undo.pop_all()
