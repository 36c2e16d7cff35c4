"""Commands of limits say how much one visitor may ask of an app."""

from collections.abc import Sequence
from dataclasses import replace

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_record
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.front.rate_limits import changed_limits, shown_limits


@command(
    "limits:set",
    plain_values=True,
    example="limits:set shop requests=10 burst=20 connections=5",
)
@app_argument
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(request: Request, app: App, changes: tuple[str, ...]) -> None:
    """Answer what is too much of one visitor with 429: requests a second, with a burst beyond them,
    and connections at once. An empty value takes a limit away.
    """
    rules = request.flow.front.change(
        app.name,
        lambda now: replace(now, limits=changed_limits(now.limits, changes)),
        request.output,
    )
    show_record(request, "text", shown_limits(rules.limits))


@command("limits:report", "limits", reads=True, example="limits:report shop")
@app_argument
@form_option
def report(request: Request, app: App, form: str) -> None:
    """Show how much one visitor may ask of an app."""
    show_record(request, form, shown_limits(app.front.limits))


COMMANDS: Sequence[click.Command] = (set_, report)
