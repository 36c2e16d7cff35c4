"""Commands of processes show, scale, restart, stop, start and rebuild those of an app."""

from collections.abc import Callable, Iterator
from datetime import UTC

import click

from pushdeploy.commands.face.all_apps import app_or_all, for_each
from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import Row, show_json, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.names import AppName
from pushdeploy.domain.task import Death
from pushdeploy.reads.tasks import Process, RunningApp

_SHOWN = ("process", "state", "release", "since", "restarts", "last_exit")


@command("ps", "ps:list", reads=True, example="ps shop")
@app_argument
@form_option
def ps(request: Request, app: App, form: str) -> None:
    """Show the running processes of an app, one-off commands too."""
    shown = _last_exit if form == "json" else _last_exit_said
    running = request.reads.tasks.running(app)
    rows = [_row(process, shown) for process in running.processes]
    show_rows(request, form, rows, _SHOWN, empty=_empty(running))
    for trouble in _troubles(running):
        request.output.trouble(trouble)


@command("ps:scale", plain_values=True, example="ps:scale shop web=2 worker=1")
@app_argument
@click.argument("changes", nargs=-1, metavar="[TYPE=QUANTITY]...")
@form_option
def scale(request: Request, app: App, changes: tuple[str, ...], form: str) -> None:
    """Set how many of each process type run; show it when nothing is to change.

    web+1 and web-1 count from what is. Where a new process does not start, everything stays as
    it was. Nothing is released: the same slug runs more or fewer times.
    """
    if changes:
        request.flow.scaling.scale(app.name, changes, request.asker)
        app = request.store.apps.get(app.name)
    counts = {str(kind): count for kind, count in request.reads.tasks.formation(app).items()}
    if form == "json":
        show_json(request, counts)
        return
    if counts:
        request.output.line(" ".join(f"{kind}={count}" for kind, count in counts.items()))
    if request.store.releases.current(app.name) is None:
        request.output.line(f"the first release of {app.name} starts so many")


@command("ps:restart", example="ps:restart shop worker")
@app_or_all
@click.argument("process", required=False, metavar="[TYPE|TYPE.N]")
def restart(request: Request, app: App | None, process: str | None) -> None:
    """Replace all processes, those of a type, or one such as web.1; new ones come first.

    Where a disk has one writer the old ones go first, and requests wait meanwhile.
    """
    if app is not None:
        request.flow.start_stop.restart(app.name, process, request.asker)
        return
    running = [each.app.name for each in request.reads.apps.all() if each.state == "live"]
    restart = request.flow.start_stop.restart
    for_each(request, running, lambda name: restart(name, None, request.asker))


@command("ps:stop", example="ps:stop shop")
@app_or_all
@click.argument("once", required=False, metavar="[run.N]")
def stop(request: Request, app: App | None, once: str | None) -> None:
    """Stop all processes of an app until ps:start; requests get a page that says so.

    With the name of a one-off command, such as run.9157: end that one only.
    """
    if app is None:
        everyone = [each.name for each in request.store.apps.list() if not each.stopped]
        for_each(request, everyone, lambda name: _stop(request, name))
    elif once is not None:
        request.flow.one_offs.end(app, once, request.session.by)
        request.output.line(f"{once} is being ended")
    else:
        _stop(request, app.name)


@command("ps:start", example="ps:start shop")
@app_or_all
def start(request: Request, app: App | None) -> None:
    """Start what ps:stop stopped: the live release in its formation."""
    if app is not None:
        request.flow.start_stop.start(app.name, request.asker)
        return
    overviews = request.reads.apps.all()
    stopped = [each.app.name for each in overviews if each.live and each.app.stopped]
    for_each(request, stopped, lambda name: request.flow.start_stop.start(name, request.asker))


@command("ps:rebuild", example="ps:rebuild shop")
@app_or_all
def rebuild(request: Request, app: App | None) -> None:
    """Build the live commit once more and release it."""

    def build(name: AppName) -> None:
        request.flow.deployer.rebuild(name, request.asker)

    if app is not None:
        build(app.name)
        return
    for_each(request, [each.app.name for each in request.reads.apps.all() if each.live], build)


COMMANDS = (ps, scale, restart, stop, start, rebuild)


def _troubles(running: RunningApp) -> Iterator[str]:
    """What a person should know of an app besides what runs of it."""
    app = running.app
    if running.error:
        yield running.error
    if app.stopped:
        yield f"{app.name} is stopped: ps:start {app.name}"
    if running.held_since is not None:
        since = f"{running.held_since:%H:%M:%S} UTC"
        yield f"requests are held since {since}, until new processes take over"
    elif app.put_back is not None:
        yield f"its disks are to be put back from s{app.put_back}: nothing of it runs until then"


def _stop(request: Request, name: AppName) -> None:
    if not request.flow.start_stop.stop(name, request.asker):
        request.output.line(f"{name} is stopped already")


def _empty(running: RunningApp) -> str:
    app, published = running.app, running.published
    if app.stopped:
        return ""
    if published is not None:
        return f"{app.name} is static: visitors get {published.shown}, and no process runs"
    return f"nothing of {app.name} runs: a git push, or ps:scale, starts it"


def _row(process: Process, shown: Callable[[Death], object]) -> Row:
    last = process.last_death
    return {
        "process": process.name,
        "state": process.state,
        "release": f"v{process.version}",
        "version": process.version,
        "exit_code": process.exit_code,
        "created_at": process.created_at,
        "since": process.since,
        "restarts": process.restarts,
        "last_exit": shown(last) if last else None,
        "container": process.container,
        "address": process.address,
    }


def _last_exit(last: Death) -> Row:
    return {
        "exit_code": last.exit_code,
        "signal": last.signal or None,
        "out_of_memory": last.out_of_memory,
        "at": last.at,
    }


def _last_exit_said(last: Death) -> str:
    return f"{last} at {last.at.astimezone(UTC):%H:%M:%S}"
