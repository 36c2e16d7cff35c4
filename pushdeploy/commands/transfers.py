"""Commands of transfers move the data of a disk as a tar over ssh, or to another app."""

from dataclasses import replace

import click

from pushdeploy.commands.face.arguments import app_argument, find_app
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import errors_of
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.transfer_meter import Meter
from pushdeploy.commands.face.typed_input import Question, confirm
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.domain.snapshot import Snapshot, parse_snapshot
from pushdeploy.flow.transfers import AppDisk

_disk_argument = click.argument("disk", type=DiskName.parse, metavar="DISK")


@command("disks:export", example="disks:export shop data > shop-data.tar")
@app_argument
@_disk_argument
@click.argument("snapshot", type=parse_snapshot, required=False, metavar="[SNAPSHOT]")
def export(request: Request, app: App, disk: DiskName, snapshot: int | None) -> None:
    """Print the data of a disk as a tar: a consistent copy of it, while the app goes on serving.

    Of a snapshot, where one is named. The exit code tells whether the tar is whole.
    """
    session, said = request.session, errors_of(request.session)
    example = f"ssh deploy disks:export {app.name} {disk} > {app.name}-{disk}.tar"
    if session.terminal is not None:
        raise UserError("a tar is not for a terminal", f"{example}, without -t")
    app_disk, asker = AppDisk(app, disk), replace(request.asker, output=said)
    with request.flow.transfers.sent(app_disk, snapshot, asker) as sent:
        meter = Meter(said.detail, sent.size_bytes)
        sent.write_to(lambda data: session.write(meter.count(data)))
    said.detail(meter.summary())


@command("disks:import", example="disks:import shop data --force < shop-data.tar")
@app_argument
@_disk_argument
@click.option("--force", is_flag=True, help="Replace the data on the disk.")
def import_(request: Request, app: App, disk: DiskName, force: bool) -> None:
    """Bring a tar from standard input onto a disk, in place of what is there.

    Where the disk is attached to a live release that is a release: requests wait, the processes
    stop, what the disk holds becomes a snapshot, the release command brings the data forward. A
    tar that is cut short, or has what no disk may have, changes nothing.
    """
    session, app_disk = request.session, AppDisk(app, disk)
    if session.terminal is not None:
        raise UserError(
            "a tar is expected on standard input",
            f"ssh deploy disks:import {app.name} {disk} < {app.name}-{disk}.tar, without -t",
        )
    if not force and (loss := _loss(request, app_disk)):
        hint = f"disks:import {app.name} {disk} --force < FILE"
        raise UserError(f"{loss}; nothing was read", hint)
    meter = Meter(errors_of(session).detail)
    with request.output.step(f"Unpacking into {disk} of {app.name}"):
        made = request.flow.transfers.receive(
            app_disk, lambda: meter.count(session.read()), request.asker
        )
        request.output.detail(f"{meter.summary()}; files of {about_bytes(made.size_bytes)}")
    _bring_in(request, app_disk, made)


@command("disks:clone", example="disks:clone shop data shop-staging --force")
@app_argument
@_disk_argument
@click.argument("other", metavar="OTHER_APP")
@click.option("--as", "name", type=DiskName.parse, metavar="NAME", help="Its disk, if not DISK.")
@click.option("--force", is_flag=True, help="Replace the data on its disk, and do not ask.")
def clone(
    request: Request, app: App, disk: DiskName, other: str, name: DiskName | None, force: bool
) -> None:
    """Give another app the data of a disk as of now, while the one it is of goes on serving.

    Where the other's live release has such a disk, that is a release of it, as a restore is.
    """
    source, target = AppDisk(app, disk), AppDisk(find_app(request.store, other), name or disk)
    if (app.id, disk) == (target.app.id, target.disk):
        raise UserError("that is the same disk", f"disks:clone {app.name} {disk} OTHER_APP")
    request.reads.disks.refuse_missing(app.name, disk)
    if not force and (loss := _loss(request, target)):
        line = f"disks:clone {app.name} {disk} {target.app.name}"
        hint = f"{line} --as {name} --force" if name else f"{line} --force"
        request.output.line(loss)
        confirm(request.session, Question("replacing it", "yes", hint))
    with request.output.step(f"Copying {disk} of {app.name}"):
        made = request.flow.transfers.clone(source, target, request.asker)
        request.output.detail(f"{made.label}: {about_bytes(made.size_bytes)}")
    _bring_in(request, target, made)


COMMANDS = (export, import_, clone)


def _loss(request: Request, app_disk: AppDisk) -> str:
    """What is on the disk, and what becomes of it; empty where nothing is."""
    occupied = request.flow.transfers.occupied(app_disk)
    if occupied is None:
        return ""
    kept = "becomes a snapshot, and is replaced"
    lost = "is lost, for it has snapshots=off"
    return (
        f"{app_disk.disk} of {app_disk.app.name} holds {about_bytes(occupied.used_bytes)},"
        f" which {kept if occupied.is_kept else lost}"
    )


def _bring_in(request: Request, app_disk: AppDisk, made: Snapshot) -> None:
    app = app_disk.app.name
    release = request.flow.transfers.bring_in(app_disk, made, request.asker)
    if release is None:
        request.output.line(
            f"the data is on disk {app_disk.disk} of {app}{_where(request, app_disk)}"
        )
    elif release.snapshot is not None:
        request.output.line(f"disks:restore {app} s{release.snapshot} undoes it")


def _where(request: Request, app_disk: AppDisk) -> str:
    for attachment in request.store.disks.of(app_disk.app.name):
        if attachment.disk == app_disk.disk:
            return f", at {attachment.mount_path} from the first release on"
    return f", which is not attached: disks:attach {app_disk.app.name} {app_disk.disk} /data"
