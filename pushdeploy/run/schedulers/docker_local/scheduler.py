"""``DockerLocal`` is the Scheduler port on this machine's Docker: labels are the truth."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerInfo, EngineEvent, LogLine
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import AppName
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.ports.streams import Streams
from pushdeploy.domain.site import default_host
from pushdeploy.domain.task import Death, Slot, SlotDeaths, Specimen, Task, Tried
from pushdeploy.resources import find
from pushdeploy.run.choice import SchedulerGround
from pushdeploy.run.logbook import LINES_KEPT, Logbook
from pushdeploy.run.schedulers.docker_local import labels, still_healthy
from pushdeploy.run.schedulers.docker_local.accounts import Accounts
from pushdeploy.run.schedulers.docker_local.boot import Boot, boot_all
from pushdeploy.run.schedulers.docker_local.deaths import Deaths
from pushdeploy.run.schedulers.docker_local.one_off import OneOffContainer, finish
from pushdeploy.run.schedulers.docker_local.own_containers import OwnContainers
from pushdeploy.run.schedulers.docker_local.specs import (
    HOME,
    Surroundings,
    once_spec,
    task_spec,
)
from pushdeploy.run.schedulers.docker_local.tail import Line, Tail

T = TypeVar("T")
R = TypeVar("R")

_AT_ONCE = 32
_CHANGES = frozenset({"start", "die", "destroy"})


class DockerLocal:
    """Runs tasks as containers, and reads them back from their labels. Thread-safe.

    Release commands go through the hook ``release``, the operator's own where there is one. Health
    checks ask for the Host ``<app>.<domain>``.
    """

    def __init__(self, ground: SchedulerGround) -> None:
        home = ground.home
        self._engine = ground.engine
        self._instance = ground.instance
        self._domain = ground.settings.domain
        self._entry = find("hooks", "release", home.root)
        self._logbook = Logbook(home.logs)
        self._accounts = Accounts(home.accounts)
        self._own = OwnContainers()
        self._deaths = Deaths()

    def run(
        self,
        manifest: Manifest,
        slots: Sequence[Slot],
        output: Output,
        cancellation: Cancellation,
        gate: StartGate | None = None,
    ) -> Sequence[Task]:
        cancellation.check()
        boots = self._boots(manifest, slots, gate)
        with self._own.at_work(boot.spec.name for boot in boots):
            try:
                boot_all(self._engine, boots, output, cancellation)
                tasks = [_task_of(boot) for boot in boots]
                if gate is None:
                    self.confirm(tasks)
                return tasks
            except BaseException:
                _side_by_side(self._discard, boots)
                raise

    def run_once(
        self,
        one_off: OneOff,
        streams: Streams,
        cancellation: Cancellation,
        gate: StartGate | None = None,
        ended: Callable[[int], None] | None = None,
    ) -> int:
        cancellation.check()
        around = self._surroundings(one_off.manifest)
        spec = once_spec(one_off, around, terminal=streams.terminal, entry=self._entry)
        seconds = one_off.timeout_seconds
        with self._own.at_work([spec.name]):
            container = OneOffContainer(
                self._engine, spec, streams, seconds, cancellation, gate, ended
            )
            return container.run()

    def try_out(
        self,
        manifest: Manifest,
        slot: Slot,
        grace_seconds: int,
        output: Output,
        cancellation: Cancellation,
    ) -> Tried:
        cancellation.check()
        [boot] = self._boots(manifest, [slot], None)
        with self._own.at_work([boot.spec.name]):
            try:
                boot_all(self._engine, [boot], output, cancellation)
                told_at = time.monotonic()
                with cancellation.stopping(boot.give_up):
                    self._engine.stop(boot.container, grace_seconds)
                return Tried(boot.seconds, time.monotonic() - told_at)
            finally:
                if boot.container:
                    self._engine.remove(boot.container)
                self._own.retire(boot.spec.name)

    @contextmanager
    def watching(self, tasks: Sequence[Task], fallen: Cancellation) -> Iterator[None]:
        """Deaths are heard through ``changes``, which somebody has to read meanwhile."""

        def tell(slot: Slot, death: Death) -> None:
            fallen.cancel(f"{slot} ended with {death}")

        with self._deaths.told([task.container for task in tasks], tell):
            yield

    def confirm(self, tasks: Sequence[Task]) -> None:
        def confirm(task: Task) -> None:
            still_healthy.confirm(self._engine, task, self._deaths.of_container(task.container))
            self._engine.keep_running(task.container, always=True)

        _side_by_side(confirm, tasks)

    def listening(self, tasks: Sequence[Task]) -> Sequence[Task]:
        return [task for task in tasks if still_healthy.listens(task)]

    def deaths(self, app: AppName, version: int) -> Sequence[SlotDeaths]:
        return self._deaths.release(app, version)

    def stop(self, tasks: Sequence[Task], grace_seconds: int) -> None:
        """Stop all of them; the first error is raised when the others have been stopped."""

        def retire(task: Task) -> None:
            info = self._engine.inspect(task.container)
            if info is not None:
                self._own.retire(info.name)
                self._engine.stop(task.container, grace_seconds)
                self._remove(task.app, task.slot, task.version, task.container)

        _side_by_side(retire, tasks)

    def finish_once(
        self, app: AppName, name: str, timeout_seconds: float, line: Callable[[str], None]
    ) -> int | None:
        wanted = {labels.ROLE: labels.ONCE, labels.APP: str(app), labels.DYNO: name}
        codes = [
            finish(self._engine, info.id, _left_of(timeout_seconds, info), line)
            for info in self._engine.containers(wanted)
        ]
        return codes[-1] if codes else None

    def note(self, task: Task, text: str) -> None:
        """A line of ours among those of the task's log."""
        line = LogLine(datetime.now(UTC), 2, f"pushdeploy: {text}")
        mark = f"note{time.time_ns() % 10**4:04}"
        self._logbook.keep(task.app, task.slot, task.version, mark, [line])

    def remove_strays(self, app: AppName | None = None) -> int:
        """Keep what this server runs just now, unless one app is to be rid of everything.

        Of that app rehearsals stay: they have copies of its disks, and end by themselves.
        """
        wanted = {labels.ROLE: labels.ONCE, **({labels.APP: str(app)} if app else {})}
        found = [*self._engine.containers(wanted)]
        if app is None:
            found += self._engine.containers({labels.ROLE: labels.REHEARSAL})
        strays = [info.id for info in found if app or not self._stays(info)]
        _side_by_side(self._engine.remove, strays)
        return len(strays)

    def written_bytes(self) -> Mapping[str, int]:
        return self._engine.layer_sizes()

    def kill_one_off(self, container: str) -> str:
        info = self._engine.inspect(container)
        if info is None or info.labels.get(labels.ROLE) != labels.ONCE:
            return ""
        self._engine.signal(container, "KILL")
        return info.name

    def tasks(self, app: AppName | None = None) -> Sequence[Task]:
        wanted = {labels.ROLE: labels.TASK, **({labels.APP: str(app)} if app else {})}
        found = (
            labels.task_of(info, ours=self._finishes(info))
            for info in self._engine.containers(wanted)
        )
        return [self._with_past(task) for task in found if task is not None]

    def specimens(self, app: AppName) -> Sequence[Specimen]:
        found = map(labels.specimen_of, self._engine.containers({labels.APP: str(app)}))
        return [specimen for specimen in found if specimen is not None]

    def logs(
        self,
        app: AppName,
        *,
        tail: int,
        follow: bool,
        process: str | None,
        stop: Callable[[], bool],
    ) -> Iterator[tuple[str, LogLine] | None]:
        lines = Tail(self._engine, self._logbook, app, process)
        return _lines(lines, tail, stop if follow else None)

    def forget_logs(self, app: AppName) -> None:
        self._logbook.forget(app)

    def rename_logs(self, app: AppName, new: AppName) -> None:
        self._logbook.rename(app, new)
        self._deaths.rename(app, new)

    @contextmanager
    def changes(self) -> Iterator[Iterator[AppName | None]]:
        """Leave out what this server does itself; None stands for a lost connection to Docker."""
        with self._engine.events() as events:
            yield (item for event in events for item in self._changed(event))

    def _finishes(self, info: ContainerInfo) -> bool:
        """Tell whether this server is about to see to it: it boots, or waits for ``confirm``.

        One that has ended while it waited for that is nobody's any more.
        """
        if info.state in {"exited", "dead", "removing"}:
            return self._own.works_on(info.name)
        return self._own.has(info.name)

    def _stays(self, info: ContainerInfo) -> bool:
        """A release command is never cut in half, whoever started it."""
        return self._own.has(info.name) or labels.is_running_release(info)

    def _boots(
        self, manifest: Manifest, slots: Sequence[Slot], gate: StartGate | None
    ) -> Sequence[Boot]:
        """The engine is asked about the image once, however many slots there are."""
        around, host = self._surroundings(manifest), default_host(manifest.app, self._domain)
        return [
            Boot(self._engine, manifest, slot, task_spec(manifest, slot, around), host, gate)
            for slot in slots
        ]

    def _surroundings(self, manifest: Manifest) -> Surroundings:
        """An image that an app's own Dockerfile made has an entrypoint; a slug of ours has none."""
        image = self._engine.image(manifest.image) if manifest.user is None else None
        return Surroundings(
            self._instance,
            image.entrypoint if image else (),
            self._accounts.mounts(manifest.user, manifest.group, HOME),
        )

    def _discard(self, boot: Boot) -> None:
        if boot.container:
            manifest = boot.manifest
            self._remove(manifest.app, boot.slot, manifest.version, boot.container)
        self._own.retire(boot.spec.name)

    def _remove(self, app: AppName, slot: Slot, version: int, container: str) -> None:
        with suppress(PushdeployError), self._engine.logs(container, tail=LINES_KEPT) as lines:
            self._logbook.keep(app, slot, version, container, lines)
        self._engine.remove(container)

    def _with_past(self, task: Task) -> Task:
        """The engine counts what it has restarted, and not what was replaced since."""
        ended = self._deaths.of((task.app, task.version, task.slot))
        if ended is None:
            return task
        return replace(task, restarts=max(ended.times, task.restarts), last_death=ended.last)

    def _changed(self, event: EngineEvent) -> list[AppName | None]:
        if event.action == "connected":
            return [None]
        slot = labels.slot_of(event.labels)
        if event.action not in _CHANGES or slot is None:
            return []
        name = event.labels.get("name", "")
        busy = self._own.busy(name)
        if event.action == "die" and not self._own.retired(name):
            self._note_death(event, slot, counts=not busy)
        return [] if busy else [AppName(event.labels[labels.APP])]

    def _note_death(self, event: EngineEvent, slot: Slot, *, counts: bool) -> None:
        place = (AppName(event.labels[labels.APP]), int(event.labels[labels.RELEASE]), slot)
        memory = False
        with suppress(PushdeployError):
            info = self._engine.inspect(event.container)
            memory = info is not None and info.out_of_memory
        death = Death(datetime.now(UTC), labels.exit_code_of(event.labels), memory)
        self._deaths.note(place, event.container, death, counts=counts)


def _task_of(boot: Boot) -> Task:
    """The task that has booted, as it is when the engine looks after it."""
    assert boot.info is not None
    task = labels.task_of(replace(boot.info, kept=True), ours=True)
    assert task is not None
    return task


def _left_of(timeout_seconds: float, begun: ContainerInfo) -> float:
    """The seconds that are left by the machine's clock: the server that began it is gone."""
    passed = (datetime.now(UTC) - begun.created_at).total_seconds()
    return max(0.0, timeout_seconds - max(0.0, passed))


def _lines(lines: Tail, tail: int, stop: Callable[[], bool] | None) -> Iterator[Line | None]:
    yield from lines.last(tail) if stop is None else lines.follow(tail, stop)


def _side_by_side(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do all of them, then raise the first error, if any."""
    with ThreadPoolExecutor(min(len(items), _AT_ONCE) or 1, thread_name_prefix="tasks") as pool:
        futures = [pool.submit(work, item) for item in items]
    return [future.result() for future in futures]
