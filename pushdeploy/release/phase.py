"""The release phase runs the slug's release command once, with new config and the disks."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.cause import Cause, cause_of
from pushdeploy.domain.errors import BackendDown, Cancelled, PushdeployError, ReleaseFailed
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.one_off import TIMED_OUT, OneOff
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.release import Release
from pushdeploy.locks.start_gate import OneTimeGate
from pushdeploy.release.streams import LineStreams

_TAIL_LINES = 20

_READY_SECONDS = 30
"""How long its container may take to start while nobody waits for it."""


class ReleasePhase:
    """The phase runs release commands by the scheduler that it is given."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    @contextmanager
    def made_ready(
        self,
        manifest: Manifest,
        release: Release,
        timeout_seconds: float,
        output: Output,
        beside: str = "",
    ) -> Iterator[Callable[[], None]]:
        """Start a container in which the release command waits, in the network of the container
        ``beside``, where one is named. What is given runs it, streaming what it says.

        It is never cut in half: nobody can cancel it but the time-out. ``ReleaseFailed`` when it
        ends with anything but 0, or at once when there can be no such container. The container is
        removed on the way out, and nothing is left of a command that was not to run.
        """
        command = release.slug.release_command
        if command is None:
            yield _nothing
            return
        gate, streams = OneTimeGate(), LineStreams(output.detail)
        exit_codes: SimpleQueue[int | None] = SimpleQueue()
        name, environment = f"release.{release.version}", {"RELEASE_PHASE": "1"}
        one_off = OneOff(manifest, command, name, timeout_seconds, environment, beside)
        run_once = partial(
            self._scheduler.run_once, one_off, streams, Cancellation(), gate, exit_codes.put
        )
        with ThreadPoolExecutor(1, thread_name_prefix=f"release-{release.app}") as pool:
            running = pool.submit(_to_its_end, run_once)
            running.add_done_callback(lambda _: exit_codes.put(None))  # where nothing was told
            running.add_done_callback(lambda _: gate.shut())
            made = _Made(release, timeout_seconds, output, streams, gate, exit_codes, running)
            try:
                if not gate.await_ready(1, _READY_SECONDS) and running.done():
                    running.result()
                yield made.run
            finally:
                gate.shut()


@dataclass(frozen=True, slots=True)
class _Made:
    """A release command whose container waits behind ``gate``.

    ``exit_codes`` gives the code before the container is removed, or None where nothing told it.
    """

    release: Release
    timeout_seconds: float
    output: Output
    streams: LineStreams
    gate: OneTimeGate
    exit_codes: "SimpleQueue[int | None]"
    running: "Future[int]"

    def run(self) -> None:
        """Let it begin and wait for its end; ``ReleaseFailed`` unless that is 0."""
        command = self.release.slug.release_command
        with self.output.step(f"Running the release command: {command}"):
            self.gate.open()
            code = self.exit_codes.get()
            if code is None:
                code = self.running.result()
            self.streams.end()
            if code:
                raise _failure(self.release, code, self.timeout_seconds, self.streams)


def _to_its_end(run_once: Callable[[], int]) -> int:
    try:
        return run_once()
    except (BackendDown, Cancelled):
        raise
    except PushdeployError as error:
        raise ReleaseFailed(
            f"the release command could not be started: {error.message}", error.hint
        ) from error


def _nothing() -> None:
    """Where there is no release command."""


def _failure(
    release: Release, code: int, timeout_seconds: float, streams: LineStreams
) -> ReleaseFailed:
    tail = streams.tail()
    cause = cause_of(tail, code, release.slug.release_command or "")
    said = f"ended with exit code {code}"
    hint = (cause or Cause("")).hint(release.app)
    if code == TIMED_OUT:
        said = f"ran into its {timeout_seconds:g} s limit"
        longer = f"apps:set {release.app} release-timeout=30m allows more"
        hint = f"{longer}; then:  releases:retry {release.app}"
    elif cause is not None:
        of_signal = cause.what.startswith("exit code")
        said = f"ended with {cause.what}" if of_signal else f"{said}: {cause.what}"
    return ReleaseFailed(
        f"the release command of {release.label} {said}",
        hint,
        exit_code=code,
        log_tail=tail[-_TAIL_LINES:],
    )
