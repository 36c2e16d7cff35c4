"""Commands of redirects send visitors of an app from one path to another address."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.path import parse_path
from pushdeploy.domain.front.redirect import CODES, USUAL_CODE, parse_redirect, with_redirect

_source_argument = click.argument("source", metavar="FROM")


@command("redirects:add", example="redirects:add shop '/blog/*' 'https://blog.example.com/*'")
@app_argument
@_source_argument
@click.argument("target", metavar="TO")
@click.option(
    "--code",
    type=click.Choice([str(code) for code in CODES]),
    default=str(USUAL_CODE),
    show_default=True,
    help="301 and 308 are kept by browsers for ever; 307 and 308 keep a POST a POST.",
)
def add(request: Request, app: App, source: str, target: str, code: str) -> None:
    """Send visitors who ask for the path FROM of an app to TO, a path or another address.

    With a * at its end FROM is all that begins so, and what follows takes the place of the * at
    the end of TO. An exact path comes before a beginning, a longer beginning before a shorter one.
    The query is kept where TO has none.
    """
    new, hosts = parse_redirect(source, target, int(code)), request.reads.addresses.hosts(app.name)
    request.flow.front.change(
        app.name,
        lambda now: replace(now, redirects=with_redirect(now.redirects, new, hosts)),
        request.output,
    )
    request.output.line(f"{new.source} leads to {new.target} ({new.code})")
    if new.code in {301, 308}:
        request.output.line("browsers that have followed it keep it, also when it is removed")


@command("redirects:remove", removes=True, example="redirects:remove shop '/blog/*'")
@app_argument
@_source_argument
def remove(request: Request, app: App, source: str) -> None:
    """Let the path FROM reach the app again."""
    path = parse_path(source)
    if path not in {each.source for each in app.front.redirects}:
        raise UserError(f"{path} leads nowhere else", f"redirects:list {app.name}")
    request.flow.front.change(
        app.name,
        lambda now: replace(
            now,
            redirects=tuple(each for each in now.redirects if each.source != path),
        ),
        request.output,
    )
    request.output.line(f"{path} reaches {app.name}")


@command("redirects:list", "redirects", reads=True, example="redirects:list shop")
@app_argument
@form_option
def list_(request: Request, app: App, form: str) -> None:
    """Show the redirects of an app, in the order in which they are looked at."""
    rows = [asdict(redirect) for redirect in app.front.redirects]
    empty = f"{app.name} sends nobody elsewhere: redirects:add {app.name} FROM TO"
    show_rows(request, form, rows, ("source", "target", "code"), empty=empty)


COMMANDS: Sequence[click.Command] = (add, remove, list_)
