"""Commands of error-pages give an app pages of its own for what nginx answers by itself."""

from collections.abc import Sequence
from dataclasses import replace

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.typed_input import read_bytes
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.page import MOST_PAGE_BYTES, parse_error_code, parse_page

_code_argument = click.argument("code", type=parse_error_code, metavar="CODE")


@command("error-pages:set", example="error-pages:set shop 502 < page.html")
@app_argument
@_code_argument
def set_(request: Request, app: App, code: int) -> None:
    """Show the HTML on standard input where nginx answers CODE by itself. The app's own answers
    with that status stay as they are.
    """
    page = parse_page(read_bytes(request.session, "Paste one line of HTML: ", MOST_PAGE_BYTES))
    request.flow.front.change(
        app.name,
        lambda now: replace(now, pages=dict(sorted({**now.pages, code: page}.items()))),
        request.output,
    )
    request.output.line(f"{app.name} has a page of its own for {code}")


@command("error-pages:unset", removes=True, example="error-pages:unset shop 502")
@app_argument
@_code_argument
def unset(request: Request, app: App, code: int) -> None:
    """Show the server's page for CODE again."""
    if code not in app.front.pages:
        raise UserError(f"{app.name} has no page for {code}", f"error-pages:list {app.name}")
    request.flow.front.change(
        app.name,
        lambda now: replace(
            now, pages={each: page for each, page in now.pages.items() if each != code}
        ),
        request.output,
    )
    request.output.line(f"visitors of {app.name} are shown the server's page for {code}")


@command("error-pages:list", "error-pages", reads=True, example="error-pages:list shop")
@app_argument
@form_option
def list_(request: Request, app: App, form: str) -> None:
    """Show for which answers of nginx an app has pages of its own, and how large they are."""
    rows = [
        {"code": code, "size_bytes": len(page.encode())} for code, page in app.front.pages.items()
    ]
    empty = f"visitors are shown the server's pages: error-pages:set {app.name} 502 < page.html"
    show_rows(request, form, rows, ("code", "size_bytes"), empty=empty)


COMMANDS: Sequence[click.Command] = (set_, unset, list_)
