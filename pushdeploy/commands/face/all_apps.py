"""Some commands are for one app, or with ``--all`` for every one, one after the other."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from pushdeploy.commands.face.arguments import find_app
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import Cancelled, PushdeployError, UserError
from pushdeploy.domain.names import AppName

_ALL = "pushdeploy.all"
_Body = TypeVar("_Body", bound=Callable[..., Any])


def app_or_all(body: _Body) -> _Body:
    """``app``: an ``App`` that exists, or None for all of them."""
    option = click.option(
        "--all",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_keep_all,
        help="Every app, one after the other.",
    )
    argument = click.argument("app", required=False, callback=_one_or_all, metavar="APP|--all")
    return argument(option(body))


def for_each(request: Request, apps: Sequence[AppName], act: Callable[[AppName], object]) -> None:
    """``act`` for one app after the other, whatever becomes of those before it.

    ``UserError`` at the end names those that failed; each has told why in its turn.
    """
    failed: list[str] = []
    for app in apps:
        request.session.cancellation.check()
        request.output.headline(str(app))
        try:
            act(app)
        except Cancelled:
            raise
        except PushdeployError as error:
            request.output.failure(error)
            failed.append(str(app))
    if failed:
        done = len(apps) - len(failed)
        raise UserError(f"done for {done} of {len(apps)} apps, but not for {', '.join(failed)}")


def _keep_all(context: click.Context, parameter: click.Parameter, everyone: bool) -> None:
    """Eager, so that the argument finds it."""
    del parameter
    context.meta[_ALL] = everyone


def _one_or_all(context: click.Context, parameter: click.Parameter, text: str | None) -> App | None:
    if context.meta.get(_ALL):
        if text is not None:
            raise UserError(
                f"--all is every app, and {text[:40]} is named as well", "leave one out"
            )
        return None
    if text is None:
        raise click.MissingParameter(ctx=context, param=parameter)
    return find_app(context.obj.store, text)
