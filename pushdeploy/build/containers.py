"""Build containers are made, fed, watched and removed, whatever happens."""

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pushdeploy.build.plan import BuildCommand, Failure
from pushdeploy.build.stack_order import NEWEST
from pushdeploy.domain.app import APP_GROUP
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerSpec
from pushdeploy.domain.errors import BackendDown, BuildFailed, PushdeployError
from pushdeploy.domain.known_secrets import without
from pushdeploy.domain.ports.engine import Attached, Engine
from pushdeploy.domain.time_out import timing_out

_log = logging.getLogger(__name__)

ROLE_LABEL = "pushdeploy.role"
OWNER_LABEL = "pushdeploy.owner"
"""The id of the app by whose build an image was made."""

APP_IDS = (1000, APP_GROUP)
"""The uid and gid of builds; tasks have uids of their own and the same gid."""

APP_USER = f"{APP_IDS[0]}:{APP_IDS[1]}"
_CPU_SHARES = 128
"""A quarter of what a process of an app has by default: people wait for those."""
_TAIL_LINES = 400
_MOST_LINE_BYTES = 8192


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """A build has limits, and a place for its caches; sizes are in bytes, 0 is no limit.

    ``cache`` is a directory of the host that survives; ``stack`` is that of new apps that ask for
    none, or NEWEST.
    """

    cache: Path
    stack: str = NEWEST
    memory_bytes: int = 2 * 1024**3
    cpus: float = 0
    pids: int = 2048
    timeout_seconds: float = 1800
    ca_bundle: Path | None = None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A build container gets these, apart from its image and command."""

    labels: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[tuple[str, str]] = ()
    read_only_mounts: Sequence[tuple[str, str]] = ()


def build_container(
    image: str, command: Sequence[str], sandbox: Sandbox, settings: BuildSettings, instance: str
) -> ContainerSpec:
    """A container that runs what an app wrote: unprivileged and limited."""
    return ContainerSpec(
        image=image,
        name=f"pushdeploy-{instance}-build-{uuid.uuid4().hex[:12]}",
        labels={**sandbox.labels, ROLE_LABEL: "build"},
        command=command,
        environment=sandbox.environment,
        user=APP_USER,
        working_dir="/app",
        mounts=sandbox.mounts,
        read_only_mounts=sandbox.read_only_mounts,
        memory_bytes=settings.memory_bytes,
        cpus=settings.cpus,
        cpu_shares=_CPU_SHARES,
        pids=settings.pids,
        stop_grace_seconds=1,
    )


def assembly_container(image: str, instance: str) -> ContainerSpec:
    """A container that is never started: files are put into it and it is committed."""
    return ContainerSpec(
        image=image,
        name=f"pushdeploy-{instance}-assembly-{uuid.uuid4().hex[:12]}",
        labels={ROLE_LABEL: "build"},
        command=["true"],
        network="none",
    )


@contextmanager
def temporary(engine: Engine, spec: ContainerSpec) -> Iterator[str]:
    """The id of a container that is removed at the end."""
    container = engine.create(spec)
    try:
        yield container
    finally:
        engine.remove(container)


def remove_aside(containers: ExitStack) -> None:
    """Close ``containers`` on a thread of its own: nobody has to wait until they are removed.

    The end of the process waits for it. What cannot be removed now is by the next sweep.
    """

    def remove() -> None:
        try:
            containers.close()
        except PushdeployError as error:
            _log.warning("build containers are left: %s", error.message)

    threading.Thread(target=remove, name="build containers").start()


def run_to_end(
    engine: Engine,
    container: str,
    line: Callable[[str], bool],
    timeout_seconds: float,
    cancellation: Cancellation,
    hidden: Sequence[str] = (),
) -> "Ending":
    """Start a created container and give each line of its output to ``line`` until it ends.

    Lines for which it answers True are kept for the end; ``hidden`` are values to leave out.
    ``Cancelled`` when somebody asked to stop: the container is killed then.
    """
    tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def kill() -> None:
        engine.signal(container, "KILL")

    attached = engine.attach(container, tty=False)
    with closing(attached), cancellation.stopping(kill):
        engine.start(container)
        with timing_out(timeout_seconds, kill) as expired:
            cancellation.check()
            for each in _lines(attached):
                text = without(each, hidden)
                if line(text):
                    tail.append(text)
            exit_code = engine.wait(container)
    cancellation.check()
    return Ending(exit_code, tuple(tail), expired.is_set(), _out_of_memory(engine, container))


class WrongRuntime(BuildFailed):
    """The same might be built with another one; ``learned`` tells the language with which."""

    def __init__(self, failure: Failure, exit_code: int) -> None:
        super().__init__(failure.message, failure.hint, exit_code=exit_code)
        self.learned = failure.runtime


@dataclass(frozen=True, slots=True)
class Ending:
    """A build container ended so; ``tail`` are its last lines."""

    exit_code: int
    tail: Sequence[str]
    timed_out: bool
    out_of_memory: bool

    def require_success(self, command: BuildCommand, timeout_seconds: float) -> None:
        """Raise ``BuildFailed`` with the cause, unless it ended well.

        What it said was shown before.
        """
        if self.timed_out:
            raise BuildFailed(
                f"{command} took over {timeout_seconds:g} s and was stopped",
                "PUSHDEPLOY_BUILD_TIMEOUT_SECONDS allows more",
                exit_code=124,
            )
        if self.out_of_memory:
            raise BuildFailed(
                f"{command} failed with exit code {self.exit_code} (it ran out of memory)",
                "PUSHDEPLOY_BUILD_MEMORY_BYTES allows more",
                exit_code=self.exit_code or 137,
            )
        if self.exit_code:
            found = command.explain(self.tail) or Failure("", "")
            message = found.message or f"{command} failed with exit code {self.exit_code}"
            hint = found.hint or command.hint
            if found.runtime:
                raise WrongRuntime(found, self.exit_code)
            raise BuildFailed(message, hint, exit_code=self.exit_code)


def _out_of_memory(engine: Engine, container: str) -> bool:
    info = engine.inspect(container)
    if info is None:
        raise BackendDown("a build container vanished", "push again; is something pruning Docker?")
    return info.out_of_memory


def _lines(attached: Attached) -> Iterator[str]:
    """Whole lines of both streams, over-long ones cut."""
    rests = {1: b"", 2: b""}
    while (chunk := attached.read()) is not None:
        stream, data = chunk
        *whole, rest = (rests[stream] + data).split(b"\n")
        if len(rest) > _MOST_LINE_BYTES:
            whole, rest = [*whole, rest], b""
        rests[stream] = rest
        yield from (_text(one) for one in whole)
    yield from (_text(rest) for rest in rests.values() if rest)


def _text(line: bytes) -> str:
    last = line.rstrip(b"\r").rpartition(b"\r")[2]
    return last[:_MOST_LINE_BYTES].decode(errors="replace")
