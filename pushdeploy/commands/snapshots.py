"""Commands of snapshots copy the disks of an app as of one moment, and bring such copies back."""

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import Row, asker_beside, moment, show_json, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.typed_input import Question, confirm
from pushdeploy.domain.app import App
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.domain.snapshot import Snapshot, parse_snapshot
from pushdeploy.output import duration

_snapshot_argument = click.argument("snapshot", type=parse_snapshot, metavar="SNAPSHOT")


@command("disks:snapshot", example="disks:snapshot shop --note 'before the import'")
@app_argument
@click.argument("disks", nargs=-1, type=DiskName.parse, metavar="[DISK]...")
@click.option("--note", default="By hand", metavar="TEXT", help="What it is for.")
@form_option
def snapshot(request: Request, app: App, disks: tuple[DiskName, ...], note: str, form: str) -> None:
    """Copy the disks of an app, by default all but those with snapshots=off, while it serves.

    SQLite databases are copied through SQLite: what the copy holds is whole, whatever is being
    written meanwhile.
    """
    taken = request.flow.snapshots.take(app, disks, note, asker_beside(request, form))
    if form == "json":
        show_json(request, _row(taken))
        return
    request.output.line(f"{taken.label}: {about_bytes(taken.size_bytes)}, {taken.kind}")
    request.output.line(f"disks:restore {app.name} {taken.label} brings it back")


@command("disks:snapshots", reads=True, example="disks:snapshots shop")
@app_argument
@form_option
def snapshots(request: Request, app: App, form: str) -> None:
    """Show the snapshots of an app's disks, newest first, and what each was taken for."""
    found = request.reads.snapshots.all(app.name)
    rows = [_row(each) for each in found]
    if form == "text":
        rows = [
            {**row, "disks": " ".join(each.disks)} for row, each in zip(rows, found, strict=True)
        ]
    shown = ("snapshot", "created_at", "disks", "size", "description", "by")
    empty = f"no snapshot yet: releases take them, and disks:snapshot {app.name}"
    show_rows(request, form, rows, shown, empty=empty)


@command("disks:restore", example="disks:restore shop s12 --force")
@app_argument
@_snapshot_argument
@click.option("--force", is_flag=True, help="Do not ask.")
@click.option("--no-release-phase", is_flag=True, help="Leave the release command out.")
def restore(request: Request, app: App, snapshot: int, force: bool, no_release_phase: bool) -> None:
    """Bring the disks of an app back to a snapshot: a release, with its processes stopped.

    Requests wait meanwhile. The disks as they are now become a snapshot first, so it can be
    undone. The release command runs, for the data may be older than the code.
    """
    found = request.reads.snapshots.get(app.name, snapshot)
    accept_loss(request, app, found, f"disks:restore {app.name} {found.label} --force", force)
    made = request.flow.restores.restore(
        app.name, found, request.asker, release_phase=not no_release_phase
    )
    if made is None:
        request.output.line(f"the disks of {app.name} hold what {found.label} holds")
    elif made.snapshot is not None:
        request.output.line(f"disks:restore {app.name} s{made.snapshot} undoes it")


@command("disks:forget", removes=True, example="disks:forget shop s12")
@app_argument
@_snapshot_argument
@click.option(
    "--force", is_flag=True, help="Also one that the disks are still to be put back from."
)
def forget(request: Request, app: App, snapshot: int, force: bool) -> None:
    """Remove a snapshot for good. The disks themselves are not touched.

    With --force also the one that a failed release's changes wait for: they stay then.
    """
    given_up = request.flow.snapshots.forget(app.name, snapshot, request.asker, force=force)
    request.output.line(f"s{snapshot} is removed")
    if given_up:
        request.output.line(
            f"the disks stay as the failed release left them: ps:start {app.name} starts it"
        )


COMMANDS = (snapshot, snapshots, restore, forget)


def accept_loss(request: Request, app: App, found: Snapshot, hint: str, force: bool) -> None:
    """Say what going back to ``found`` loses, and go on only where that is wanted."""
    loss = request.reads.snapshots.loss(app, found)
    request.output.line(
        f"{found.label} is of {moment(found.created_at)} UTC: data written in the"
        f" {duration(loss.seconds)} since is lost;"
        f" files of {about_bytes(loss.changed_bytes)} have changed"
    )
    if not force:
        confirm(request.session, Question(f"going back to {found.label}", "yes", hint))


def _row(snapshot: Snapshot) -> Row:
    sizes = snapshot.sizes_bytes or {}
    return {
        "snapshot": snapshot.label,
        "id": snapshot.id,
        "created_at": snapshot.created_at,
        "release": f"v{snapshot.version}" if snapshot.version else None,
        "version": snapshot.version,
        "description": snapshot.description,
        "disks": {str(disk): size for disk, size in sizes.items()},
        "size_bytes": snapshot.size_bytes,
        "size": about_bytes(snapshot.size_bytes),
        "kind": snapshot.kind,
        "by": str(snapshot.by),
    }
