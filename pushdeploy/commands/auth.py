"""Commands of auth let nginx ask the visitors of an app for a name and a password."""

from collections.abc import Sequence
from dataclasses import replace

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.typed_input import read_secret
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.password import (
    MOST_PASSWORD_BYTES,
    UserName,
    parse_password,
    with_person,
    without_person,
)
from pushdeploy.domain.front.path import parse_path
from pushdeploy.passwords import hashed


def _parse_top(text: str) -> str:
    return parse_path(text).rstrip("/") or "/"


_user_argument = click.argument("user", type=UserName.parse, metavar="USER")
_path_option = click.option(
    "--path",
    type=_parse_top,
    default="/",
    show_default=True,
    help="Below this path only.",
)


@command("auth:set", needs="change", example="auth:set shop ada --path /admin < password.txt")
@app_argument
@_user_argument
@_path_option
def set_(request: Request, app: App, user: UserName, path: str) -> None:
    """Ask visitors of an app for a name and a password: let USER in with that on standard input.

    Each path has people of its own, and the longest one that a request begins with decides.
    """
    password = parse_password(
        read_secret(request.session, f"Password of {user}: ", MOST_PASSWORD_BYTES + 2)
    )
    secret = hashed(password)
    request.flow.front.change(
        app.name,
        lambda now: replace(now, passwords=with_person(now.passwords, path, user, secret)),
        request.output,
    )
    request.output.line(f"{user} is let in to {app.name} below {path} with this password")


@command("auth:unset", removes=True, example="auth:unset shop ada --path /admin")
@app_argument
@_user_argument
@_path_option
def unset(request: Request, app: App, user: UserName, path: str) -> None:
    """Let USER in no longer. After the last one no password is asked for."""
    if user not in app.front.passwords.paths.get(path, {}):
        raise UserError(f"{user} has no password for {path}", f"auth:report {app.name}")
    rules = request.flow.front.change(
        app.name,
        lambda now: replace(now, passwords=without_person(now.passwords, path, user)),
        request.output,
    )
    request.output.line(f"{user} is let in to {app.name} below {path} no longer")
    if path not in rules.passwords.paths:
        request.output.line(f"no password of its own is asked for below {path} any more")


@command("auth:report", reads=True, example="auth:report shop")
@app_argument
@form_option
def report(request: Request, app: App, form: str) -> None:
    """Show for which paths of an app a password is asked, and of whom."""
    rows = [
        {"path": path, "users": [str(user) for user in people]}
        for path, people in app.front.passwords.paths.items()
    ]
    empty = f"nobody is asked for a password: auth:set {app.name} USER"
    show_rows(request, form, rows, ("path", "users"), empty=empty)


COMMANDS: Sequence[click.Command] = (set_, unset, report)
