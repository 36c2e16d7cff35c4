"""disks: their data as a tar over ssh, out and in, and copies for another app."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from pushdeploy.commands.face.arguments import app_argument, find_app
from pushdeploy.commands.face.asking import Question, confirm
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.meter import Meter
from pushdeploy.commands.face.printing import errors_of
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.domain.snapshot import Snapshot, parse_snapshot
from pushdeploy.release.transfers import AppDisk, Transfers

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
    app_disk, transfers = AppDisk(app, disk), _transfers(request, said)
    with _what_is_sent(request, app_disk, transfers, snapshot) as found:
        meter = Meter(said.detail, (found.sizes_bytes or {})[disk])
        transfers.send(app_disk, found, lambda data: session.write(meter.count(data)))
    said.detail(meter.summary())


@command("disks:import", example="disks:import shop data --force < shop-data.tar")
@app_argument
@_disk_argument
@click.option("--force", is_flag=True, help="Replace what is on the disk.")
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
    if request.back_ends.disks.has_data(app.name, disk) and not force:
        hint = f"disks:import {app.name} {disk} --force < FILE"
        raise UserError(f"{_loss(request, app_disk)}; nothing was read", hint)
    meter = Meter(errors_of(session).detail)
    with request.output.step(f"Unpacking into {disk} of {app.name}"):
        made = _transfers(request, request.output).receive(
            app_disk, lambda: meter.count(session.read())
        )
        request.output.detail(f"{meter.summary()}; files of {about_bytes(made.size_bytes)}")
    _bring_in(request, app_disk, made)


@command("disks:clone", example="disks:clone shop data shop-staging --force")
@app_argument
@_disk_argument
@click.argument("other", metavar="OTHER_APP")
@click.option("--as", "name", type=DiskName.parse, metavar="NAME", help="Its disk, if not DISK.")
@click.option("--force", is_flag=True, help="Replace what is on its disk, and do not ask.")
def clone(
    request: Request, app: App, disk: DiskName, other: str, name: DiskName | None, force: bool
) -> None:
    """Give another app the data of a disk as of now, while the one it is of goes on serving.

    Where the other's live release has such a disk, that is a release of it, as a restore is.
    """
    source, target = AppDisk(app, disk), AppDisk(find_app(request.store, other), name or disk)
    if (app.id, disk) == (target.app.id, target.disk):
        raise UserError("that is the same disk", f"disks:clone {app.name} {disk} OTHER_APP")
    _check_there(request, source)
    if request.back_ends.disks.has_data(target.app.name, target.disk) and not force:
        line = f"disks:clone {app.name} {disk} {target.app.name}"
        hint = f"{line} --as {name} --force" if name else f"{line} --force"
        request.output.line(_loss(request, target))
        confirm(request.session, Question("replacing it", "yes", hint))
    with request.output.step(f"Copying {disk} of {app.name}"):
        made = _transfers(request, request.output).clone(source, target)
        request.output.detail(f"{made.label}: {about_bytes(made.size_bytes)}")
    _bring_in(request, target, made)


COMMANDS = (export, import_, clone)


def _transfers(request: Request, said: Output) -> Transfers:
    context, session = request.context, request.session
    return Transfers(
        context.back_ends.snapshots, context.locks.apps, session.by, said, session.cancellation
    )


@contextmanager
def _what_is_sent(
    request: Request, app_disk: AppDisk, transfers: Transfers, snapshot: int | None
) -> Iterator[Snapshot]:
    """The one that was named, else one that is taken for this."""
    if snapshot is None:
        _check_there(request, app_disk)
        with transfers.copy_of(app_disk) as taken:
            yield taken
        return
    found = request.store.snapshots.get(app_disk.app.name, snapshot)
    if app_disk.disk not in found.disks:
        raise UserError(
            f"{found.label} has no disk {app_disk.disk}, but {', '.join(found.disks)}",
            f"disks:snapshots {app_disk.app.name}",
        )
    yield found


def _check_there(request: Request, app_disk: AppDisk) -> None:
    if app_disk.disk not in request.back_ends.disks.list(app_disk.app.name):
        raise UserError(
            f"{app_disk.app.name} has no disk {app_disk.disk}", f"disks:list {app_disk.app.name}"
        )


def _loss(request: Request, app_disk: AppDisk) -> str:
    """What is on the disk, and what becomes of it."""
    app = request.store.apps.get(app_disk.app.name)
    used = about_bytes(request.back_ends.disks.used_bytes(app.name, app_disk.disk))
    kept = (
        "is lost, for it has snapshots=off"
        if app_disk.disk in app.settings.disks.without_snapshots
        else "becomes a snapshot, and is replaced"
    )
    return f"{app_disk.disk} of {app.name} holds {used}, which {kept}"


def _bring_in(request: Request, app_disk: AppDisk, made: Snapshot) -> None:
    """From here on nothing can be stopped any more. What fails leaves ``made`` for another try."""
    app = app_disk.app.name
    try:
        release = request.flow.restores.bring_in(app, made, request.asker)
    except PushdeployError as error:
        again = f"what has arrived is {made.label}: disks:restore {app} {made.label} tries again"
        error.hint = f"{error.hint}\n{again}" if error.hint else again
        raise
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
