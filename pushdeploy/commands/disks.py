"""disks: directories of an app that outlive its containers. Attaching one is a release."""

from collections.abc import Sequence

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.units import about_bytes
from pushdeploy.domain.app import App
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName


@command("disks:attach", "storage:mount", example="disks:attach shop data /data")
@app_argument
@click.argument("words", nargs=-1, required=True, metavar="NAME MOUNT_PATH")
def attach(request: Request, app: App, words: tuple[str, ...]) -> None:
    """Give an app a disk at a path: for its release command and all of its processes.

    NAME:MOUNT_PATH is understood as well. A disk that was detached comes back with its data.
    """
    attachment = parse_attachment(words)
    if request.platform.deployer.attach(app.name, attachment, request.asker) is None:
        request.output.line(
            f"{attachment.disk} will be at {attachment.mount_path} from the first release on"
        )


@command("disks:detach", "storage:unmount", example="disks:detach shop data")
@app_argument
@click.argument("name", metavar="NAME")
def detach(request: Request, app: App, name: str) -> None:
    """Take a disk from an app. Its data stays, for a later disks:attach."""
    disk = DiskName.parse(name.partition(":")[0])
    request.platform.deployer.detach(app.name, disk, request.asker)
    kept = request.platform.disks.path(app.name, disk)
    request.output.line(f"the data of {disk} stays in {kept} on the server")


@command("disks:list", "disks", "storage:list", reads=True, example="disks:list shop")
@app_argument
@form_option
def list_(request: Request, app: App, form: str) -> None:
    """Show the disks of an app, detached ones with data too, and how much is on them."""
    mounts = {item.disk: item.mount_path for item in request.store.disks.of(app.name)}
    names = sorted({*mounts, *request.platform.disks.list(app.name)})
    rows = [_row(request, app, disk, mounts.get(disk)) for disk in names]
    show_rows(request, form, rows, ("name", "mounted_at", "used"))


COMMANDS = (attach, detach, list_)


def parse_attachment(words: Sequence[str]) -> Attachment:
    """Of ``NAME /path``, or Dokku's ``NAME:/path``."""
    name, path = words if len(words) == 2 else words[0].partition(":")[::2]
    if len(words) > 2 or not path:
        raise UserError("give a name and a mount path", "disks:attach shop data /data")
    if "/" in name:
        raise UserError(
            f"{name[:80]} is a directory of the server: disks have names here",
            "disks:attach shop data /data",
        )
    return Attachment.parse(name, path)


def _row(request: Request, app: App, disk: DiskName, path: str | None) -> dict[str, object]:
    used_bytes = request.platform.disks.used_bytes(app.name, disk)
    return {
        "name": str(disk),
        "attached": path is not None,
        "mount_path": path,
        "mounted_at": path or "detached",
        "used_bytes": used_bytes,
        "used": about_bytes(used_bytes),
        "path": str(request.platform.disks.path(app.name, disk)),
    }
