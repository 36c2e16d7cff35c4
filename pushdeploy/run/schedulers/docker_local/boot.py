"""Tasks are brought up side by side: each is created, started and watched until it is healthy."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.cause import LINES, Cause, before_the_masters_end, cause_of, cause_of_refusal
from pushdeploy.domain.container import ContainerInfo, ContainerSpec, EngineEvent
from pushdeploy.domain.errors import BackendDown, BootFailed, Cancelled, PushdeployError
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.task import Slot
from pushdeploy.output import duration
from pushdeploy.run import health
from pushdeploy.run.health import Trial
from pushdeploy.run.http_check import NOT_LISTENING, HttpCheck
from pushdeploy.run.misplaced import Settling
from pushdeploy.run.own_visits import without_own_visits
from pushdeploy.run.schedulers.docker_local.listening import listening, sight
from pushdeploy.run.schedulers.docker_local.specs import gated

_AT_ONCE = 32
_TAIL_LINES = 20
_READ_LINES = 2000
"""What was said is looked for behind so many lines that our own checks may have left."""

_ASK_AGAIN_SECONDS = 0.02
_LOOK_SECONDS = 0.5
_MEGABYTE = 1024 * 1024


class GivenUp(Exception):
    """Somebody else failed, or the deploy was cancelled: this one does not matter any more."""


def boot_all(
    engine: Engine, boots: Sequence["Boot"], output: Output, cancellation: Cancellation
) -> None:
    """Return when all are healthy, telling of each; the first failure gives up the others."""
    failures: list[PushdeployError] = []
    with (
        cancellation.stopping(lambda: give_up(boots)),
        engine.events() as events,
        ThreadPoolExecutor(min(len(boots), _AT_ONCE) or 1, thread_name_prefix="boot") as pool,
    ):
        threading.Thread(target=_tell, args=[events, boots], name="deaths", daemon=True).start()
        futures = {pool.submit(boot.run, output): boot for boot in boots}
        for future in as_completed(futures):
            error = future.exception()
            if error is None:
                output.detail(f"{futures[future].slot} is up ({duration(future.result())})")
                if futures[future].remark:
                    output.trouble(futures[future].remark)
            elif isinstance(error, PushdeployError):
                failures.append(error)
                give_up(boots)
            elif not isinstance(error, GivenUp):
                give_up(boots)
                raise error
    cancellation.check()
    if failures:
        raise failures[0]
    if any(future.exception() for future in futures):
        raise Cancelled("the gate was shut: the tasks never began")


def _tell(events: Iterator[EngineEvent], boots: Sequence["Boot"]) -> None:
    """Tell each of its container's death; ends with the events.

    One connection for all of them, and none that is left waiting when they are healthy.
    """
    for event in events:
        for boot in boots:
            if event.action == "die" and event.container == boot.container:
                boot.wake()
            elif event.action == "connected":
                boot.look()


def give_up(boots: Sequence["Boot"]) -> None:
    """Make them all end soon. Does not raise."""
    for boot in boots:
        boot.give_up()


class Boot:
    """Brings one task up: ``run`` on one thread, ``give_up`` on any."""

    def __init__(
        self,
        engine: Engine,
        manifest: Manifest,
        slot: Slot,
        spec: ContainerSpec,
        host: str,
        gate: StartGate | None = None,
    ) -> None:
        """``host`` is what requests of checks carry as their Host."""
        self.slot = slot
        self._gate = gate
        # A foreign image may lack what waiting takes: its command starts when the gate is open.
        self._behind_gate = bool(gate and spec.command and manifest.user)
        # A release command that goes on without us may be in its network.
        self.spec = gated(spec, outlives=True) if self._behind_gate else spec
        self.container = ""
        self._engine = engine
        self.manifest = manifest
        self._host = host
        self.seconds = 0.0
        self.remark = ""
        self.info: ContainerInfo | None = None
        self._started: ContainerInfo | None = None
        self._settling = Settling(manifest.port)
        self._told = False
        self._check: HttpCheck | None = None
        self._given_up = threading.Event()
        self._woken = threading.Event()

    def run(self, output: Output) -> float:
        """Return when it is healthy: the seconds that it took. ``BootFailed`` when it is not.

        ``output`` is told early of one that listens where no request will find it.
        """
        self._pause(0)
        if self._gate is not None and not self._behind_gate:
            self._pass(self._gate)
        self._start()
        began = time.monotonic()
        for trial in self._trials():
            self._try(trial, began, output)
        self.info = self.confirm("was switched to")
        self.seconds = time.monotonic() - began
        return self.seconds

    def give_up(self) -> None:
        """Wake ``run`` wherever it waits, which raises ``GivenUp``. Does not raise."""
        self._given_up.set()
        self.wake()
        if self.container:
            with suppress(PushdeployError):
                self._engine.signal(self.container, "KILL")

    def wake(self) -> None:
        """Something has been decided: wait for nothing any more."""
        self._woken.set()
        if self._check is not None:
            self._check.abort()

    def look(self) -> None:
        """Tell whether it died while nobody could tell. Does not raise."""
        with suppress(PushdeployError):
            info = self._engine.inspect(self.container) if self.container else None
            if info is not None and info.state in {"exited", "dead"}:
                self.wake()

    def confirm(self, before: str) -> ContainerInfo:
        """Return the engine's view of the container now; ``BootFailed`` when it runs no more."""
        info = self._engine.inspect(self.container)
        if info is None or info.state != "running":
            raise self._dead(before)
        return info

    def _start(self) -> None:
        try:
            self.container = self._engine.create(self.spec)
            self._pause(0)
            if self._gate is not None and self._behind_gate:
                self._start_behind(self._gate)
            else:
                self._engine.start(self.container)
                self._check = self._check_of_address()
        except (BackendDown, BootFailed):
            raise
        except PushdeployError as error:
            raise self._refused(error) from error

    def _start_behind(self, gate: StartGate) -> None:
        """The container runs, its command waits for the gate."""
        attached = self._engine.attach(self.container, False)
        try:
            self._engine.start(self.container)
            self._check = self._check_of_address()  # now, while nobody waits for it
            self._pass(gate)
            attached.write(b"go\n")
            attached.end_input()
        finally:
            attached.close()

    def _check_of_address(self) -> HttpCheck:
        info = self._started = self._engine.inspect(self.container)
        return HttpCheck(info.address if info else "", self.manifest.port, self._host)

    def _pass(self, gate: StartGate) -> None:
        if not gate.wait(self.container):
            raise GivenUp
        self._pause(0)

    def _pause(self, seconds: float, before: str = "") -> None:
        """Wait, but for nothing that has already been decided."""
        if not self._woken.wait(max(0.0, seconds)):
            return
        if self._given_up.is_set():
            raise GivenUp
        raise self._dead(before)

    def _try(self, trial: Trial, began: float, output: Output) -> None:
        before = health.waited_for(trial.check)
        self._pause(trial.check.initial_delay_seconds, before)
        uptime = health.uptime_of(trial.check)
        if uptime is not None:
            self._pause(began + uptime - time.monotonic(), before)
            return
        failures = 0
        last = ""
        look_at = began + _LOOK_SECONDS
        while (left := began + trial.limit_seconds - time.monotonic()) > 0:
            problem = self._attempt(trial, left)
            self._pause(0, before)
            if problem is None:
                if time.monotonic() >= look_at:
                    self._look_where(output)
                    look_at = time.monotonic() + _LOOK_SECONDS
                self._pause(min(_ASK_AGAIN_SECONDS, left), before)
                continue
            if not problem:
                return
            if problem != health.CUT_SHORT or not last:
                last = problem
            failures += 1
            if trial.attempts and failures >= trial.attempts:
                break
            self._pause(min(trial.pause_seconds, left), before)
        raise self._too_late(trial, last)

    def _look_where(self, output: Output) -> None:
        """Say once that it listens in a wrong place; ``BootFailed`` when it stays there."""
        seen = sight(self._started) if self._started is not None else None
        if seen is None:
            return
        self._settling.see(seen, time.monotonic())
        complaint = self._settling.complaint
        if self._settling.is_final:
            raise BootFailed(
                f"{self.slot} {complaint}", health.MOVE, log_tail=self._last_lines()[-_TAIL_LINES:]
            )
        if self._settling.is_worth_a_word and not self._told:
            output.trouble(f"{self.slot} {complaint}")
            self._told = True

    def _attempt(self, trial: Trial, left: float) -> str | None:
        """What was wrong; empty when all is well, None when nothing listens yet."""
        check = trial.check
        timeout_seconds = min(check.timeout_seconds, left)
        if check.path is None:
            try:
                code = self._engine.execute(self.container, check.command, timeout_seconds)
            except BackendDown:
                raise
            except PushdeployError as error:
                return error.message
            return f"exit code {code}" if code else ""
        assert self._check is not None
        answer = self._check.ask(check.path, timeout_seconds, body=check.content is not None)
        self.remark = health.remark(self.slot, trial, answer, self._host)
        if answer is NOT_LISTENING:
            return None
        if answer.timed_out and timeout_seconds < check.timeout_seconds:
            return health.CUT_SHORT
        return health.complaint(trial, answer)

    def _refused(self, error: PushdeployError) -> BootFailed:
        """The error about a container that Docker would not start."""
        cause = cause_of_refusal(error.message)
        if cause is not None:
            return BootFailed(
                f"{self.slot} does not start: {cause.what}", cause.hint(self.manifest.app)
            )
        return BootFailed(
            f"{self.slot} could not be started: {error.message}",
            error.hint or "look at its command in the Procfile and push again",
        )

    def _dead(self, before: str) -> BootFailed:
        info, lines = self._engine.inspect(self.container), self._last_lines()
        cause = self._cause(lines, info)
        return BootFailed(
            health.death(self.slot, info, cause, before),
            (cause or health.UNKNOWN).hint(self.manifest.app),
            exit_code=info.exit_code if info else None,
            log_tail=lines[-_TAIL_LINES:],
        )

    def _too_late(self, trial: Trial, last: str) -> BootFailed:
        info, lines = self._engine.inspect(self.container), self._last_lines()
        cause = self._cause(lines, info) if last else None
        failed = health.TooLate(
            slot=self.slot,
            trial=trial,
            port=self.manifest.port,
            seconds=self.manifest.boot_timeout_seconds,
            last=last,
            cause=cause if cause is not None and cause.certain else None,
            listens=listening(info, self.manifest.port) if info is not None and not last else "",
        )
        return BootFailed(
            failed.message(), failed.hint(self.manifest.app), log_tail=lines[-_TAIL_LINES:]
        )

    def _cause(self, lines: Sequence[str], info: ContainerInfo | None) -> Cause | None:
        """Why it ended, or, of one that runs, what has gone wrong in it."""
        if info is None:
            return None
        limit = self.manifest.limits.memory_bytes // _MEGABYTE
        command = self.manifest.processes[self.slot.process_type].command
        starved = limit if info.out_of_memory else 0
        return cause_of(lines, info.exit_code, command, memory_megabytes=starved)

    def _last_lines(self) -> Sequence[str]:
        with (
            suppress(PushdeployError),
            self._engine.logs(self.container, tail=_READ_LINES) as lines,
        ):
            said = before_the_masters_end([line.text for line in lines])
            return without_own_visits(said, self._checked_paths())[-LINES:]
        return []

    def _trials(self) -> Sequence[Trial]:
        process = self.manifest.processes[self.slot.process_type]
        return health.trials(self.slot, process, self.manifest.boot_timeout_seconds)

    def _checked_paths(self) -> Sequence[str]:
        paths = (trial.check.path for trial in self._trials())
        return [path for path in paths if path is not None]
