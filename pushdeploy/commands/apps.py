"""Commands of apps make, show, set, lock, rename and destroy them."""

import click

from pushdeploy.commands.face.arguments import app_argument, find_app, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import Row, moment, show_record, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.typed_input import Question, confirm
from pushdeploy.domain.app import App
from pushdeploy.domain.names import AppName
from pushdeploy.domain.settings import (
    explained_settings,
    shown_settings,
)
from pushdeploy.reads.apps import AppDetails, AppOverview

_SET_HELP = "\n".join(
    [
        "Change settings of an app, or show them all. An empty value gives back the default.",
        "\n\b",
        *explained_settings(),
    ]
)


@command("apps:create", example="apps:create shop")
@click.argument("app", type=AppName.parse, metavar="NAME")
def create(request: Request, app: AppName) -> None:
    """Make an app, before or instead of its first push."""
    request.flow.new_apps.create(app)
    request.output.line(f"{app} is there; git push makes it live")


@command("apps:list", "apps", reads=True, example="apps:list --format json")
@form_option
def list_(request: Request, form: str) -> None:
    """Show all apps: their names in a pipe, a table on a terminal."""
    rows = [_row(overview) for overview in request.reads.apps.all()]
    shown = ("name", "release", "state", "url", "locked_by")
    piped = request.session.terminal is None
    empty = "no app yet: the first git push makes one, or:  apps:create shop"
    show_rows(request, form, rows, ("name",) if piped else shown, empty=empty)


@command("apps:exists", reads=True, example="apps:exists shop && echo it does")
@click.argument("app", metavar="APP")
def exists(request: Request, app: str) -> None:
    """End with 0 when there is such an app, with 20 when there is not."""
    find_app(request.store, app)


@command("apps:info", reads=True, example="apps:info shop")
@app_argument
@form_option
def info(request: Request, app: App, form: str) -> None:
    """Show the facts of an app and its running processes."""
    details = request.reads.apps.details(app)
    told = [each.warning for each in request.reads.outlooks.warnings(app.name)]
    facts = {
        **_row(details.overview),
        **_more(details),
        "certificate_trouble": [*details.certificates, *told],
    }
    show_record(request, form, facts, left_out=("version",))


@command(
    "apps:set",
    plain_values=True,
    example="apps:set shop body-limit=50m release-timeout=2h",
    help=_SET_HELP,
)
@app_argument
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@form_option
def set_(request: Request, app: App, changes: tuple[str, ...], form: str) -> None:
    settings = request.flow.settings.change(app, changes)
    show_record(request, form, shown_settings(settings))


@command("apps:lock", example="apps:lock shop no deploys before the fair")
@app_argument
@click.argument("words", nargs=-1, metavar="[MESSAGE]...")
def lock(request: Request, app: App, words: tuple[str, ...]) -> None:
    """Refuse pushes, rebuilds, retries and promotions from now on, until apps:unlock.

    Who is refused reads who locked the app, when, and the message. Changes of config, scaling,
    restarts and rollbacks stay possible. A deploy that is going on goes to its end.
    """
    going_on = request.flow.locking.lock(app.name, " ".join(words), request.session.by)
    request.output.line(f"{app.name} is locked: pushes and promotions are refused")
    request.output.line(f"apps:unlock {app.name} lets them in again")
    if going_on is not None:
        request.output.line(f"{going_on.what} by {going_on.by} is going on, to its end")


@command("apps:unlock", example="apps:unlock shop")
@app_argument
def unlock(request: Request, app: App) -> None:
    """Let pushes and promotions in again; an app that is not locked stays so."""
    request.flow.locking.unlock(app.name)
    request.output.line(f"{app.name} is not locked" + (" any more" if app.lock else ""))


@command("apps:locked", reads=True, example="apps:locked shop && echo it is")
@app_argument
def locked(request: Request, app: App) -> int:
    """End with 0 when a person has locked the app, with 1 when nobody has."""
    if app.lock is None:
        request.output.trouble(f"{app.name} is not locked")
        return 1
    request.output.line(f"{app.name} was locked by {app.lock.by} at {moment(app.lock.at)} UTC")
    if app.lock.message:
        request.output.line(app.lock.message)
    return 0


@command("apps:rename", example="apps:rename shop store")
@app_argument
@click.argument("new", type=AppName.parse, metavar="NEW")
def rename(request: Request, app: App, new: AppName) -> None:
    """Give an app another name and address; it serves all the while."""
    request.flow.renames.rename(app.name, new, request.asker)
    request.output.line(f"{new} answers on {request.reads.addresses.url(new)}")
    request.output.line(f"git remote set-url deploy deploy:{new}")


@command("apps:destroy", removes=True, example="apps:destroy shop --confirm shop")
@app_argument
@click.option("--force", is_flag=True, help="Do not ask.")
@click.option(
    "--confirm", "typed", metavar="NAME", help="The app's name once more, instead of being asked."
)
@click.option("--delete-disks", is_flag=True, help="Delete the data on its disks as well.")
def destroy(request: Request, app: App, force: bool, typed: str | None, delete_disks: bool) -> None:
    """Remove an app: its processes, releases, config, domains and repository.

    The data on its disks stays where it is unless --delete-disks is given; its snapshots go.
    """
    if not force:
        hint = f"apps:destroy {app.name} --confirm {app.name}"
        question = Question(f"destroying {app.name}", app.name, hint, "destroy it")
        confirm(request.session, question, typed)
    kept = request.flow.destruction.destroy(app.name, request.asker, with_data=delete_disks)
    for disk in kept:
        path = request.reads.disks.path(app.name, disk)
        request.output.detail(f"the data of disk {disk} stays in {path} on the server")


COMMANDS = (create, list_, exists, info, set_, lock, unlock, locked, rename, destroy)


def _row(overview: AppOverview) -> Row:
    app, live = overview.app, overview.live
    return {
        "name": str(app.name),
        "release": live.label if live else None,
        "version": live.version if live else None,
        "commit": str(live.slug.commit) if live else None,
        "state": overview.state,
        "url": overview.url,
        "created_at": app.created_at,
        "locked_by": str(app.lock.by) if app.lock else None,
        "locked_at": app.lock.at if app.lock else None,
        "lock_message": app.lock.message if app.lock else None,
    }


def _more(details: AppDetails) -> Row:
    app, live, doing = details.overview.app, details.overview.live, details.doing
    slug = live.slug if live else None
    return {
        "domains": [str(host) for host in details.domains],
        "urls": list(details.urls),
        "processes": {str(kind): count for kind, count in details.quantities.items()},
        "builder": slug.builder if slug else None,
        "stack": slug.stack if slug else None,
        "slug": str(slug.image) if slug else None,
        "published": str(slug.published) if slug and slug.published else None,
        "disks": {str(item.disk): item.mount_path for item in details.disks},
        "config_keys": list(details.config_keys),
        "config_staged": list(details.config_staged),
        "settings": shown_settings(app.settings),
        "doing": f"{doing.what} by {doing.by}" if doing else None,
        "trouble": live.error if live else None,
        "requests_held_since": details.held_since,
        "disks_to_put_back": f"s{app.put_back}" if app.put_back is not None else None,
    }
