"""A new app that a command makes, whole or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pushdeploy.context import Context
from pushdeploy.domain.names import AppName
from pushdeploy.output import Quiet


@contextmanager
def made_app(context: Context, app: AppName) -> Iterator[None]:
    """The app with its repository and its address; an error inside takes all of it away again.

    ``UserError`` where there is one of that name, or its address belongs to another.
    """
    context.back_ends.sites.refuse_taken_name(app)
    with ExitStack() as undo:
        context.store.apps.create(app)
        undo.callback(context.store.apps.destroy, app)
        # Its repository tells it from an app that a push made: a failed push leaves it alone.
        if context.back_ends.repositories.ensure(app):
            undo.callback(context.back_ends.repositories.remove, app)
        undo.callback(context.flow.converger.forget, app, grace_seconds=0)
        context.flow.converger.refresh_route(app, Quiet())
        yield
        undo.pop_all()
