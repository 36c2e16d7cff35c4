"""A rehearsal on its copies runs the command, tries the web process and compares the data."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from pushdeploy.disks.database_contents import read_databases
from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import (
    BackendDown,
    BootFailed,
    Cancelled,
    PushdeployError,
    ReleaseFailed,
)
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import WEB, DiskName
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.rehearsal import (
    CommandRun,
    Contents,
    DiskGrowth,
    Report,
    WebRun,
    database_changes,
)
from pushdeploy.domain.release import Release
from pushdeploy.domain.task import Slot
from pushdeploy.release.copies import RehearsalSnapshot
from pushdeploy.release.streams import LineStreams

_LINES_KEPT = 1000


@dataclass(frozen=True, slots=True)
class RehearsalRun:
    """A run rehearses ``release`` on copies that are made: ``disks``, with the data of
    ``snapshot``.

    ``stop_seconds`` is what a cut-over gives a process to end.
    """

    app: App
    origin: Release
    release: Release
    manifest: Manifest
    snapshot: RehearsalSnapshot
    disks: Directories
    stop_seconds: int
    output: Output
    cancellation: Cancellation

    @property
    def names(self) -> Sequence[DiskName]:
        return [attachment.disk for attachment in self.release.disks]


def run_rehearsal(run: RehearsalRun, scheduler: Scheduler) -> Report:
    """Run the command and the web process on the copies, and return a report.

    ``Cancelled`` as soon as somebody wants it to end.
    """
    used, before = _used_bytes(run), _contents(run)  # the look leaves files of its own
    run.cancellation.check()
    command = _run_command(run, scheduler)
    run.cancellation.check()
    web = _try_web(run, scheduler, command)
    run.cancellation.check()
    used_after, after = _used_bytes(run), _contents(run)
    return Report(
        origin=run.origin,
        release=run.release,
        network=not run.manifest.isolated,
        snapshot_seconds=run.snapshot.seconds,
        command=command,
        web=web,
        disks=[
            DiskGrowth(
                disk,
                disk in run.snapshot.disks,
                used[disk],
                used_after[disk],
                run.app.settings.disks.limit_of(disk),
            )
            for disk in run.names
        ],
        databases=[
            change
            for disk in run.names
            for change in database_changes(disk, before[disk], after[disk])
        ],
        troubles=[
            f"{disk}: {trouble}"
            for disk in run.names
            if (trouble := after[disk].trouble or before[disk].trouble)
        ],
    )


def _contents(run: RehearsalRun) -> Mapping[DiskName, Contents]:
    uid = run.app.uid
    return {disk: read_databases(run.disks.path(run.app.name, disk), uid) for disk in run.names}


def _used_bytes(run: RehearsalRun) -> Mapping[DiskName, int]:
    return {disk: run.disks.used_bytes(run.app.name, disk) for disk in run.names}


def _run_command(run: RehearsalRun, scheduler: Scheduler) -> CommandRun | None:
    command = run.release.slug.release_command
    if command is None:
        return None
    lines: deque[str] = deque(maxlen=_LINES_KEPT)

    def sink(text: str) -> None:
        lines.append(text)
        run.output.detail(text)

    streams = LineStreams(sink)
    code: int | None = 0
    error = ""
    began = monotonic()
    try:
        with run.output.step(f"Running the release command: {command}"):
            _run_to_its_end(run, scheduler, command, streams)
    except ReleaseFailed as failed:
        code = failed.exit_code
        run.output.trouble(failed.message)
    except (BackendDown, Cancelled):
        raise
    except PushdeployError as caught:
        code, error = None, f"it could not be started: {caught.message}"
        run.output.trouble(error)
    seconds = monotonic() - began
    return CommandRun(command, code, seconds, tuple(lines), error)


def _run_to_its_end(
    run: RehearsalRun, scheduler: Scheduler, command: str, streams: LineStreams
) -> None:
    """Raise ``ReleaseFailed`` with its exit code unless that is 0."""
    name, environment = f"release.{run.release.version}", {"RELEASE_PHASE": "1"}
    seconds = run.app.settings.deploy.release_timeout_seconds
    one_off = OneOff(run.manifest, command, name, seconds, environment)
    code = scheduler.run_once(one_off, streams, run.cancellation)
    streams.end()
    if code:
        raise ReleaseFailed(f"it ended with exit code {code}", exit_code=code)


def _try_web(run: RehearsalRun, scheduler: Scheduler, command: CommandRun | None) -> WebRun:
    if command is not None and command.exit_code != 0:
        return WebRun("skipped")
    if WEB not in run.manifest.processes:
        return WebRun("none")
    slot = Slot(WEB, 1)
    grace_seconds = min(run.app.settings.run.stop_grace_seconds, run.stop_seconds)
    try:
        with run.output.step(f"Starting {slot} on the copy"):
            tried = scheduler.try_out(
                run.manifest, slot, grace_seconds, run.output, run.cancellation
            )
    except BootFailed as failed:
        run.output.failure(BootFailed(failed.message, log_tail=failed.log_tail))
        return WebRun("failed", error=failed.message, log_tail=failed.log_tail)
    return WebRun("healthy", tried.boot_seconds, tried.stop_seconds)
