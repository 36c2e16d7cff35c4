"""The release phase: the slug's release command, once, with the new config and the app's disks."""

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BackendDown, PushdeployError, ReleaseFailed
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.ports import Output, Scheduler
from pushdeploy.domain.release import Release
from pushdeploy.release.streams import LineStreams

TIMED_OUT = 124
"""The exit code of a command that was stopped at its time-out, as timeout(1) has it."""


class ReleasePhase:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def run(
        self, manifest: Manifest, release: Release, timeout_seconds: float, output: Output
    ) -> None:
        """Run the release command of ``release``, streaming what it says.

        It is never cut in half: nobody can cancel it but the time-out. ``ReleaseFailed`` when it
        ends with anything but 0.
        """
        command = release.slug.release_command
        if command is None:
            return
        streams = LineStreams(output.detail)
        with output.step(f"Running the release command: {command}"):
            code = self._run(manifest, command, release, timeout_seconds, streams)
            streams.end()
            if code:
                raise _failure(release, code, timeout_seconds, streams)

    def _run(
        self,
        manifest: Manifest,
        command: str,
        release: Release,
        timeout_seconds: float,
        streams: LineStreams,
    ) -> int:
        try:
            return self._scheduler.run_once(
                manifest,
                command,
                f"release.{release.version}",
                streams,
                timeout_seconds,
                Cancellation(),
                {"RELEASE_PHASE": "1"},
            )
        except BackendDown:
            raise
        except PushdeployError as error:
            raise ReleaseFailed(
                f"the release command could not be started: {error.message}", error.hint
            ) from error


def _failure(
    release: Release, code: int, timeout_seconds: float, streams: LineStreams
) -> ReleaseFailed:
    said = (
        "ended with exit code"
        if code != TIMED_OUT
        else f"ran into its {timeout_seconds:g} s limit:"
    )
    return ReleaseFailed(
        f"the release command of {release.label} {said} {code}",
        f"push a fix, or when nothing but luck was missing:  releases:retry {release.app}",
        exit_code=code,
        log_tail=streams.tail(),
    )
