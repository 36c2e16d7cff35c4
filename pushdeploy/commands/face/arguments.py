"""Many commands take these arguments and options."""

import difflib
from collections.abc import Callable
from typing import Any, TypeVar

import click

from pushdeploy.domain.app import App
from pushdeploy.domain.errors import RenamedApp, UnknownApp, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.store import Store

_Body = TypeVar("_Body", bound=Callable[..., Any])


def find_app(store: Store, text: str) -> App:
    """``UnknownApp``, with what may have been meant."""
    try:
        found = store.apps.find(AppName.parse(text))
    except UserError:
        found = None
    if found is None:
        raise _unknown(store, text)
    return found


def app_argument(body: _Body) -> _Body:
    """``app``: an ``App`` that exists."""
    return click.argument("app", callback=_existing_app, metavar="APP")(body)


def form_option(body: _Body) -> _Body:
    """``form``: ``text`` or ``json``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How to print.",
    )(body)


def _existing_app(context: click.Context, parameter: click.Parameter, text: str) -> App:
    del parameter
    return find_app(context.obj.store, text)


def _unknown(store: Store, text: str) -> UnknownApp:
    now = store.apps.renamed(AppName(text)) if AppName.fits(text) else None
    if now is not None:
        return RenamedApp(text, now, f"type {now}; git remote set-url deploy deploy:{now}")
    error = UnknownApp(text[:80])
    close = difflib.get_close_matches(text, [app.name for app in store.apps.list()], n=3)
    if close:
        error.hint = f"did you mean {' or '.join(close)}? {error.hint}"
    return error
