"""A one-off runs in a container with somebody's streams on it: a release command, ``run``."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerInfo, ContainerSpec
from pushdeploy.domain.errors import BackendDown, Cancelled, PushdeployError
from pushdeploy.domain.one_off import TIMED_OUT
from pushdeploy.domain.ports.engine import Attached, Engine
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.ports.streams import Streams, WindowSize
from pushdeploy.run.schedulers.docker_local.specs import gated

KILLED = 128 + 9

GRACE_SECONDS = 10.0
"""How long a command may take to end after SIGTERM at its time-out."""

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OneOffContainer:
    """Runs the container of ``spec`` once, with ``streams`` on it.

    ``ended`` hears of the exit code before the container is removed.
    """

    engine: Engine
    spec: ContainerSpec
    streams: Streams
    timeout_seconds: float | None
    cancellation: Cancellation
    gate: StartGate | None = None
    ended: Callable[[int], None] | None = None

    def run(self) -> int:
        """The exit code, when all output has been given to the streams; nothing is left then.

        A line to stderr tells of a want of memory.
        """
        gate = self.gate
        # A foreign image may lack what waiting takes: its container comes when the gate is open.
        if gate is not None and self.spec.user is None:
            _pass(gate)
            gate = None
        container = self.engine.create(self.spec if gate is None else gated(self.spec))
        try:
            return self._run_in(container, gate)
        finally:
            self.engine.remove(container)

    def _run_in(self, container: str, gate: StartGate | None) -> int:
        attached = self.engine.attach(container, self.spec.tty)
        try:
            with self.cancellation.stopping(partial(self._kill, container)):
                self._start(container, attached, gate)
                code = self._converse(container, attached)
            _refuse_cancelled(self.cancellation)
            if code:
                _explain(self.engine.inspect(container), self.spec, self.streams)
            if self.ended is not None:
                self.ended(code)
            return code
        finally:
            attached.close()

    def _start(self, container: str, attached: Attached, gate: StartGate | None) -> None:
        self.engine.start(container)
        if self.cancellation.cancelled:
            self._kill(container)  # the first one came before there was anything to kill
        if gate is not None:
            _pass(gate)
            attached.write(b"go\n")
        if self.streams.terminal is not None:
            self.streams.on_resize(partial(self._resize, container))
        threading.Thread(
            target=_feed, args=[self.streams, attached], name="one-off input", daemon=True
        ).start()

    def _converse(self, container: str, attached: Attached) -> int:
        with _ended_after(self.timeout_seconds, self.engine, container) as timed_out:
            _deliver(attached, self.streams)
            code = _exit_code(self.engine, container)
        return TIMED_OUT if timed_out() else code

    def _kill(self, container: str) -> None:
        with suppress(PushdeployError):
            self.engine.signal(container, "KILL")

    def _resize(self, container: str, size: WindowSize) -> None:
        with suppress(PushdeployError):
            self.engine.resize(container, size.columns, size.rows)


def finish(
    engine: Engine, container: str, timeout_seconds: float, line: Callable[[str], None]
) -> int:
    """Wait for a one-off that nobody is attached to any more: its exit code; then remove it."""
    with _ended_after(timeout_seconds, engine, container) as timed_out:
        code = _exit_code(engine, container)
        code = TIMED_OUT if timed_out() else code
    with suppress(PushdeployError), engine.logs(container) as lines:
        for each in lines:
            line(each.text)
    engine.remove(container)
    return code


def _refuse_cancelled(cancellation: Cancellation) -> None:
    """Nobody knows what the command has changed until it was ended."""
    try:
        cancellation.check()
    except Cancelled as error:
        raise Cancelled(error.message) from None


def _pass(gate: StartGate) -> None:
    if not gate.wait():
        raise Cancelled("the gate was shut: the command never began")


def _feed(streams: Streams, attached: Attached) -> None:
    """Ends with the input; else it is left waiting for a key until the client has gone."""
    while data := streams.read():
        attached.write(data)
    attached.end_input()


def _deliver(attached: Attached, streams: Streams) -> None:
    while (part := attached.read()) is not None:
        stream, data = part
        if stream == 1:
            streams.write(data)
        else:
            streams.write_error(data)


def _exit_code(engine: Engine, container: str) -> int:
    """A container that somebody removed meanwhile has been killed."""
    try:
        return engine.wait(container)
    except BackendDown:
        raise
    except PushdeployError:
        return KILLED


def _explain(info: ContainerInfo | None, spec: ContainerSpec, streams: Streams) -> None:
    """What no program can say of itself: that it was killed for the memory that it took."""
    if info is None or not info.out_of_memory:
        return
    why = (
        f"out of memory: {spec.memory_bytes // _MEGABYTE} MB are all that it may use;"
        " PUSHDEPLOY_TASK_MEMORY_BYTES allows more"
    )
    streams.write_error((why + ("\r\n" if spec.tty else "\n")).encode())


@contextmanager
def _ended_after(
    timeout_seconds: float | None, engine: Engine, container: str
) -> Iterator[Callable[[], bool]]:
    """SIGTERM after the time-out, SIGKILL after the grace; gives whether the time-out came."""
    expired = threading.Event()
    over = threading.Event()

    def expire() -> None:
        if over.wait(timeout_seconds):
            return
        expired.set()
        for name in ("TERM", "KILL"):
            with suppress(PushdeployError):
                engine.signal(container, name)
            if over.wait(GRACE_SECONDS):
                return

    if timeout_seconds is not None:
        threading.Thread(target=expire, name="time-out", daemon=True).start()
    try:
        yield expired.is_set
    finally:
        over.set()
