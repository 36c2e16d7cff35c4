"""What happens in a rehearsal when the copies are made: run the command, try the web process, and
look at what has become of the data."""

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
from pushdeploy.release.copies import Moment
from pushdeploy.release.streams import LineStreams

_LINES_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Act:
    """A rehearsal of ``release`` whose copies are made: ``disks``, with the data of ``moment``.

    ``stop_seconds`` is what a cut-over gives a process to end.
    """

    app: App
    origin: Release
    release: Release
    manifest: Manifest
    moment: Moment
    disks: Directories
    stop_seconds: int
    output: Output
    cancellation: Cancellation

    @property
    def names(self) -> Sequence[DiskName]:
        return [attachment.disk for attachment in self.release.disks]


def perform(act: Act, scheduler: Scheduler) -> Report:
    """What became of it. ``Cancelled`` as soon as somebody wants it to end."""
    used, before = _used_bytes(act), _contents(act)  # the look leaves files of its own
    act.cancellation.check()
    command = _run_command(act, scheduler)
    act.cancellation.check()
    web = _try_web(act, scheduler, command)
    act.cancellation.check()
    used_after, after = _used_bytes(act), _contents(act)
    return Report(
        origin=act.origin,
        release=act.release,
        network=not act.manifest.isolated,
        snapshot_seconds=act.moment.seconds,
        command=command,
        web=web,
        disks=[
            DiskGrowth(
                disk,
                disk in act.moment.disks,
                used[disk],
                used_after[disk],
                act.app.settings.disks.disk_limits_bytes.get(disk),
            )
            for disk in act.names
        ],
        databases=[
            change
            for disk in act.names
            for change in database_changes(disk, before[disk], after[disk])
        ],
        troubles=[
            f"{disk}: {trouble}"
            for disk in act.names
            if (trouble := after[disk].trouble or before[disk].trouble)
        ],
    )


def _contents(act: Act) -> Mapping[DiskName, Contents]:
    uid = act.app.uid
    return {disk: read_databases(act.disks.path(act.app.name, disk), uid) for disk in act.names}


def _used_bytes(act: Act) -> Mapping[DiskName, int]:
    return {disk: act.disks.used_bytes(act.app.name, disk) for disk in act.names}


def _run_command(act: Act, scheduler: Scheduler) -> CommandRun | None:
    command = act.release.slug.release_command
    if command is None:
        return None
    lines: deque[str] = deque(maxlen=_LINES_KEPT)

    def sink(text: str) -> None:
        lines.append(text)
        act.output.detail(text)

    streams = LineStreams(sink)
    code: int | None = 0
    error = ""
    began = monotonic()
    try:
        with act.output.step(f"Running the release command: {command}"):
            _run_to_its_end(act, scheduler, command, streams)
    except ReleaseFailed as failed:
        code = failed.exit_code
        act.output.trouble(failed.message)
    except (BackendDown, Cancelled):
        raise
    except PushdeployError as caught:
        code, error = None, f"it could not be started: {caught.message}"
        act.output.trouble(error)
    seconds = monotonic() - began
    return CommandRun(command, code, seconds, tuple(lines), error)


def _run_to_its_end(act: Act, scheduler: Scheduler, command: str, streams: LineStreams) -> None:
    """``ReleaseFailed`` with its exit code unless that is 0."""
    name, environment = f"release.{act.release.version}", {"RELEASE_PHASE": "1"}
    seconds = act.app.settings.deploy.release_timeout_seconds
    one_off = OneOff(act.manifest, command, name, seconds, environment)
    code = scheduler.run_once(one_off, streams, act.cancellation)
    streams.end()
    if code:
        raise ReleaseFailed(f"it ended with exit code {code}", exit_code=code)


def _try_web(act: Act, scheduler: Scheduler, command: CommandRun | None) -> WebRun:
    if command is not None and command.exit_code != 0:
        return WebRun("skipped")
    if WEB not in act.manifest.processes:
        return WebRun("none")
    slot = Slot(WEB, 1)
    grace_seconds = min(act.app.settings.run.stop_grace_seconds, act.stop_seconds)
    try:
        with act.output.step(f"Starting {slot} on the copy"):
            tried = scheduler.try_out(
                act.manifest, slot, grace_seconds, act.output, act.cancellation
            )
    except BootFailed as failed:
        act.output.failure(BootFailed(failed.message, log_tail=failed.log_tail))
        return WebRun("failed", error=failed.message, log_tail=failed.log_tail)
    return WebRun("healthy", tried.boot_seconds, tried.stop_seconds)
