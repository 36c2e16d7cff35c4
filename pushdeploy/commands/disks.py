"""Commands of disks attach and detach them, limit them, show them and delete their data."""

from collections.abc import Sequence

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import Row, show_record, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.typed_input import Question, confirm
from pushdeploy.domain.app import App
from pushdeploy.domain.disk import Attachment, cut_over_of, cut_over_reason
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.settings.disks import shown_disks
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.domain.units import parse_bytes
from pushdeploy.reads.disks import DiskOverview

_DOKKU_STORAGE = "/var/lib/dokku/data/storage/"
"""Where Dokku's users keep what they mount."""


@command("disks:attach", "storage:mount", example="disks:attach shop data /data --size 2g")
@app_argument
@click.argument("words", nargs=-1, required=True, metavar="NAME MOUNT_PATH")
@click.option("--size", "size_bytes", type=parse_bytes, help="The most that it may hold.")
def attach(request: Request, app: App, words: tuple[str, ...], size_bytes: int | None) -> None:
    """Give an app a disk at a path: for its release command and all of its processes.

    NAME:MOUNT_PATH is understood as well. A disk that was detached comes back with its data.
    """
    attachment = parse_attachment(words)
    made = request.flow.disks.attach(app, attachment, size_bytes, request.asker)
    if made is None:
        request.output.line(
            f"{attachment.disk} will be at {attachment.mount_path} from the first release on"
        )


@command("disks:detach", "storage:unmount", removes=True, example="disks:detach shop data")
@app_argument
@click.argument("name", metavar="NAME")
def detach(request: Request, app: App, name: str) -> None:
    """Take a disk from an app. Its data stays, for a later disks:attach."""
    disk = DiskName.parse(name.partition(":")[0])
    request.flow.disks.attachments.detach(app.name, disk, request.asker)
    kept = request.reads.disks.path(app.name, disk)
    request.output.line(f"the data of {disk} stays in {kept} on the server")
    request.output.line(f"disks:destroy {app.name} {disk} deletes it")


@command("disks:destroy", removes=True, example="disks:destroy shop data --confirm data")
@app_argument
@click.argument("disk", type=DiskName.parse, metavar="NAME")
@click.option("--force", is_flag=True, help="Do not ask.")
@click.option("--confirm", "typed", metavar="NAME", help="The disk's name once more.")
def destroy(request: Request, app: App, disk: DiskName, force: bool, typed: str | None) -> None:
    """Delete the data of a disk that is not attached. Its snapshots stay until they are removed."""
    request.flow.disks.refuse_destroy(app.name, disk)
    if not force and typed != app.name:
        confirm(
            request.session,
            Question(
                f"destroying the data of {disk}",
                disk,
                f"disks:destroy {app.name} {disk} --confirm {disk}",
                "destroy it",
            ),
            typed,
        )
    request.flow.disks.destroy(app.name, disk, request.asker)


@command("disks:list", "disks", "storage:list", reads=True, example="disks:list shop")
@app_argument
@form_option
def list_(request: Request, app: App, form: str) -> None:
    """Show the disks of an app, detached ones with data too, and how much is on them."""
    rows = [_row(each) for each in request.reads.disks.all(app)]
    empty = f"no disk yet: disks:attach {app.name} data /data"
    show_rows(request, form, rows, ("name", "mounted_at", "used", "limit"), empty=empty)
    for row in rows:
        if row["warning"] and form == "text":
            request.output.trouble(f"disk {row['name']} {row['warning']}")


@command("disks:set", plain_values=True, example="disks:set shop cutover=overlap")
@app_argument
@click.argument("words", nargs=-1, metavar="[DISK] [KEY=VALUE]...")
@form_option
def set_(request: Request, app: App, words: tuple[str, ...], form: str) -> None:
    """Change how an app and its disks are handled, or show it. An empty value: the default.

    \b
    cutover=exclusive   requests wait while one version takes over   (with a disk)
    cutover=overlap     old and new run side by side for a moment
    DISK snapshots=off  leave this disk out of snapshots and of what a failure puts back
    DISK size=2g        the most that it may hold

    In force from the next release on; size at once, where the data allows it.
    """
    disk = DiskName.parse(words[0]) if words and "=" not in words[0] else None
    changes = words[1:] if disk else words
    if disk:
        request.reads.disks.refuse_missing(app.name, disk)
    if changes:
        request.flow.disks.change(app.name, disk, changes, request.asker)
    settings = request.store.apps.get(app.name).settings.disks
    show_record(request, form, shown_disks(settings))
    if form == "text":
        attached, wanted = request.store.disks.of(app.name), settings.cut_over
        request.output.line(
            f"the next release of {app.name} goes live by {cut_over_of(attached, wanted)}"
            f" cut-over: {cut_over_reason(attached, wanted)}"
        )


@command("storage:ensure-directory", example="storage:ensure-directory shop-data")
@click.argument("name", metavar="NAME")
@click.option("--chown", metavar="WHO", help="Changes nothing: a disk belongs to its app.")
def ensure_directory(request: Request, name: str, chown: str | None) -> None:
    """Do nothing, for scripts made for Dokku: a disk is made when it is attached."""
    del chown
    disk = DiskName.parse(name)
    request.output.line(f"nothing to do: disks:attach APP {disk} /data makes the disk {disk}")


COMMANDS = (attach, detach, destroy, list_, set_, ensure_directory)


def parse_attachment(words: Sequence[str]) -> Attachment:
    """Parse ``NAME /path``, or Dokku's ``NAME:/path``, with or without its place of disks."""
    name, path = words if len(words) == 2 else words[0].partition(":")[::2]
    if len(words) > 2 or not path:
        raise click.UsageError("give a name and a mount path")
    name = name.removeprefix(_DOKKU_STORAGE)
    if "/" in name:
        raise click.UsageError(f"{name[:80]} is a directory of the server: disks have names here")
    return Attachment.parse(name, path)


def _row(found: DiskOverview) -> Row:
    usage, limit_bytes = found.usage, found.usage.limit_bytes
    return {
        "name": str(found.disk),
        "attached": found.mount_path is not None,
        "mount_path": found.mount_path,
        "mounted_at": found.mount_path or "detached",
        "used_bytes": usage.used_bytes,
        "used": about_bytes(usage.used_bytes),
        "limit_bytes": limit_bytes,
        "limit": about_bytes(limit_bytes) if limit_bytes is not None else "no limit",
        "free_bytes": usage.free_bytes,
        "warning": found.warning,
        "path": str(found.path),
    }
