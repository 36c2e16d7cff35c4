"""A new app that a command makes, whole or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pushdeploy.commands.platform import Platform
from pushdeploy.domain.names import AppName
from pushdeploy.output import Quiet


@contextmanager
def made_app(platform: Platform, app: AppName) -> Iterator[None]:
    """The app with its repository and its address; an error inside takes all of it away again.

    ``UserError`` where there is one of that name, or its address belongs to another.
    """
    platform.sites.refuse_taken_name(app)
    with ExitStack() as undo:
        platform.store.apps.create(app)
        undo.callback(platform.store.apps.destroy, app)
        # Its repository tells it from an app that a push made: a failed push leaves it alone.
        if platform.refs.ensure(app):
            undo.callback(platform.refs.remove, app)
        undo.callback(platform.reconciler.forget, app, grace_seconds=0)
        platform.reconciler.refresh_route(app, Quiet())
        yield
        undo.pop_all()
