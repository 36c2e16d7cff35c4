"""What the contracts of schedulers are tried with: an app, its tasks, and a client."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.manifest import Manifest, ProcessSpec
from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.ports.streams import WindowSize
from pushdeploy.domain.task import Slot, Task
from pushdeploy.locks.start_gate import OneTimeGate
from pushdeploy.output import Output, Quiet
from pushdeploy.run.app_schedulers import AppSchedulers
from pushdeploy.run.choice import SchedulerGround, choose_scheduler
from tests.memory import MemoryScheduler

APP = AppName("shop")
WEB1 = Slot(ProcessType("web"), 1)
WORKER1 = Slot(ProcessType("worker"), 1)
WORKER2 = Slot(ProcessType("worker"), 2)
BROKEN = ProcessType("broken")
BROKEN1 = Slot(BROKEN, 1)
SERVE = 'mkdir -p "$SITE"; echo fine > "$SITE/ok"; echo serving; exec httpd -f -p $PORT -h "$SITE"'


@dataclass
class Typed:
    """Streams of a client that has sent ``given`` and then closed its input."""

    given: list[bytes] = field(default_factory=list)
    terminal: str | None = None
    out: bytes = b""
    errors: bytes = b""

    def read(self, most: int = 65536) -> bytes:
        return self.given.pop(0) if self.given else b""

    def write(self, data: bytes) -> None:
        self.out += data

    def write_error(self, data: bytes) -> None:
        self.errors += data

    def on_resize(self, resized: Callable[[WindowSize], None]) -> None:
        resized(WindowSize())


@dataclass
class Bench:
    ground: SchedulerGround
    manifest: Manifest
    make: Callable[[SchedulerGround], Scheduler] = choose_scheduler

    def __post_init__(self) -> None:
        self.scheduler = self.make(self.ground)

    @property
    def engine(self) -> Engine:
        return self.ground.engine

    def with_commands(self, **commands: str) -> Manifest:
        return self.with_processes(**{kind: ProcessSpec(c, 1) for kind, c in commands.items()})

    def with_processes(self, **processes: ProcessSpec) -> Manifest:
        typed = {ProcessType(kind): spec for kind, spec in processes.items()}
        return replace(self.manifest, processes=typed)

    def run(self, manifest: Manifest, *slots: Slot) -> list[str]:
        """What the output said."""
        said: list[str] = []
        self.scheduler.run(manifest, slots or manifest.slots(), Output(said.append), Cancellation())
        return said

    def once(
        self, command: str, streams: Typed | None = None, timeout_seconds: float | None = 60
    ) -> tuple[int, Typed]:
        streams = streams or Typed()
        code = self.scheduler.run_once(
            OneOff(self.manifest, command, "run.1", timeout_seconds), streams, Cancellation()
        )
        return code, streams

    def behind(self, gate: OneTimeGate, command: str, streams: Typed) -> int:
        return self.scheduler.run_once(
            OneOff(self.manifest, command, "release.1", 60), streams, Cancellation(), gate
        )

    def successor(self) -> Scheduler:
        """That of a server that has been started again."""
        return self.make(self.ground)

    def lines(self, process: str | None = None, tail: int = 100) -> list[tuple[str, str]]:
        found = self.scheduler.logs(
            APP, tail=tail, follow=False, process=process, stop=lambda: False
        )
        return [(slot, line.text) for slot, line in filter(None, found)]


def beside_memory(ground: SchedulerGround) -> Scheduler:
    """A server whose apps have ``docker-local`` by choice, and one in memory without one."""
    make = {"memory": MemoryScheduler, "docker-local": lambda: choose_scheduler(ground)}
    return AppSchedulers("memory", make, lambda: ["docker-local"])


@dataclass(frozen=True)
class AnyBench:
    """A scheduler of any kind, and an app whose process ``broken`` does not start."""

    scheduler: Scheduler
    manifest: Manifest

    def run(self, *slots: Slot, gate: OneTimeGate | None = None) -> Sequence[Task]:
        return self.scheduler.run(self.manifest, slots, Quiet(), Cancellation(), gate)

    def tasks(self, app: AppName | None = None) -> Sequence[Task]:
        """In the order of their slots."""
        return sorted(self.scheduler.tasks(app), key=lambda task: task.slot)


@contextmanager
def changes_of(scheduler: Scheduler) -> Iterator["queue.Queue[AppName | None]"]:
    """In a queue, so that they can be waited for with a deadline."""
    found: queue.Queue[AppName | None] = queue.Queue()

    def listen(changes: Iterable[AppName | None]) -> None:
        for change in changes:
            found.put(change)

    with scheduler.changes() as changes:
        thread = threading.Thread(target=listen, args=[changes])
        thread.start()
        yield found
    thread.join(10)
    assert not thread.is_alive()
