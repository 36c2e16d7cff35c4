"""New apps: each is there whole, with its repository and its address, or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.flow.converge import Converger
from pushdeploy.output import Quiet
from pushdeploy.route.sites import Sites
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class NewApps:
    """A new app is made whole, or not at all."""

    store: Store
    sites: Sites
    refs: Refs
    converger: Converger

    def create(self, app: AppName) -> None:
        """Make an app. ``UserError`` as of ``made``."""
        with self.made(app):
            pass

    @contextmanager
    def made(self, app: AppName) -> Iterator[None]:
        """An app that an error inside takes away again.

        ``UserError`` where there is one of that name, or its address belongs to another.
        """
        self.sites.refuse_taken_name(app)
        with ExitStack() as undo:
            self.store.apps.create(app)
            undo.callback(self.store.apps.destroy, app)
            # Its repository tells it from an app that a push made: a failed push leaves it alone.
            if self.refs.ensure(app):
                undo.callback(self.refs.remove, app)
            undo.callback(self.converger.forget, app, grace_seconds=0)
            self.converger.refresh_route(app, Quiet())
            yield
            undo.pop_all()
