"""The command logs shows what the processes of an app print, and what became of its requests."""

from dataclasses import replace
from datetime import UTC

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import errors_of, show_json
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.plain import plain_lines
from pushdeploy.domain.router_line import ROUTER


@command("logs", reads=True, example="logs shop -t -p web")
@app_argument
@click.option("-t", "--tail", "follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option(
    "-n",
    "--num",
    "lines",
    type=click.IntRange(0, 100_000),
    default=100,
    show_default=True,
    help="How many lines of the past.",
)
@click.option(
    "-p",
    "--process",
    "--ps",
    "-d",
    "--dyno",
    "process",
    metavar="TYPE",
    help="Only of a type, of one as web.1, or of the router.",
)
@click.option("--raw", is_flag=True, help="With the escape sequences that the app has printed.")
@form_option
def logs(
    request: Request, app: App, follow: bool, lines: int, process: str | None, raw: bool, form: str
) -> None:
    """Show the log of an app, that of former processes too, with a line for each request.

    Escape sequences and the like are left out, so that no app can steer your terminal; plain
    colours stay on one.
    """
    if follow and form == "json":
        raise UserError("a log that is followed has no end to its JSON", "leave out --tail")
    found = request.reads.logs.lines(
        app.name, request.session.cancellation, tail=lines, follow=follow, process=process
    )
    if form == "json":
        show_json(request, [_row(place, line) for place, line in found])
        return
    empty = True
    for place, line in found:
        empty = False
        if raw:
            request.session.write(f"{shown_line(place, line)}\n".encode("utf-8", "replace"))
            continue
        for part in plain_lines(line.text, colours=True):
            request.output.line(shown_line(place, replace(line, text=part)))
    if empty and lines:
        whose = f"{process[:40]} of {app.name}" if process else app.name
        errors_of(request.session).line(f"{whose} has logged nothing yet: ps {app.name}")


COMMANDS = (logs,)


def shown_line(place: str, line: LogLine) -> str:
    """Write a line as Heroku does: ``2026-01-31T12:00:00.000000+00:00 app[web.1]: text``.

    The router is ours, not the app's: ``pushdeploy[router]``.
    """
    whose = "pushdeploy" if place == ROUTER else "app"
    return f"{_at(line)} {whose}[{place}]: {line.text}"


def _row(place: str, line: LogLine) -> dict[str, str]:
    stream = "stdout" if line.stream == 1 else "stderr"
    return {"at": _at(line), "process": place, "stream": stream, "text": line.text}


def _at(line: LogLine) -> str:
    return line.at.astimezone(UTC).isoformat(timespec="microseconds")
