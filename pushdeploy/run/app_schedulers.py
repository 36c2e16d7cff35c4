"""Each app has a scheduler of its own choice, behind the port of one.

What starts goes to the scheduler that its manifest names, and tasks go back to where they came
from. Whatever is asked about an app is asked of each scheduler that any release has used.
"""

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import Enum
from itertools import chain
from typing import Literal

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import AppName
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.ports.streams import Streams
from pushdeploy.domain.task import Slot, SlotDeaths, Specimen, Task, Tried


class _End(Enum):
    """Nothing comes after it."""

    REACHED = 0


_Change = AppName | Exception | Literal[_End.REACHED] | None


class AppSchedulers:
    """``make`` has each scheduler by its name; none is made before an app has chosen it."""

    def __init__(
        self,
        default: str,
        make: Mapping[str, Callable[[], Scheduler]],
        used: Callable[[], Collection[str]],
    ) -> None:
        """``used`` names those that releases of before have used."""
        self._default = default
        self._make = make
        self._used_before = used
        self._all_known = False
        self._lock = threading.Lock()
        self._made: dict[str, Scheduler] = {}
        self._appeared: list[Callable[[Scheduler], None]] = []

    def run(
        self,
        manifest: Manifest,
        slots: Sequence[Slot],
        output: Output,
        cancellation: Cancellation,
        gate: StartGate | None = None,
    ) -> Sequence[Task]:
        name, scheduler = self._of(manifest)
        return _named(name, scheduler.run(manifest, slots, output, cancellation, gate))

    def run_once(
        self,
        one_off: OneOff,
        streams: Streams,
        cancellation: Cancellation,
        gate: StartGate | None = None,
        ended: Callable[[int], None] | None = None,
    ) -> int:
        _, scheduler = self._of(one_off.manifest)
        return scheduler.run_once(one_off, streams, cancellation, gate, ended)

    def try_out(
        self,
        manifest: Manifest,
        slot: Slot,
        grace_seconds: int,
        output: Output,
        cancellation: Cancellation,
    ) -> Tried:
        _, scheduler = self._of(manifest)
        return scheduler.try_out(manifest, slot, grace_seconds, output, cancellation)

    @contextmanager
    def watching(self, tasks: Sequence[Task], fallen: Cancellation) -> Iterator[None]:
        with ExitStack() as watched:
            for scheduler, own in self._owners(tasks):
                watched.enter_context(scheduler.watching(own, fallen))
            yield

    def confirm(self, tasks: Sequence[Task]) -> None:
        for scheduler, own in self._owners(tasks):
            scheduler.confirm(own)

    def listening(self, tasks: Sequence[Task]) -> Sequence[Task]:
        heard = [scheduler.listening(own) for scheduler, own in self._owners(tasks)]
        return [task for task in tasks if any(task in those for those in heard)]

    def deaths(self, app: AppName, version: int) -> Sequence[SlotDeaths]:
        return [each for scheduler in self._all() for each in scheduler.deaths(app, version)]

    def stop(self, tasks: Sequence[Task], grace_seconds: int) -> None:
        """Each scheduler stops its own, also where another one raises: then the last error is."""
        with ExitStack() as stopped:
            for scheduler, own in reversed(self._owners(tasks)):
                stopped.callback(scheduler.stop, own, grace_seconds)

    def finish_once(
        self, app: AppName, name: str, timeout_seconds: float, line: Callable[[str], None]
    ) -> int | None:
        codes = (each.finish_once(app, name, timeout_seconds, line) for each in self._all())
        return next((code for code in codes if code is not None), None)

    def note(self, task: Task, text: str) -> None:
        self._get(task.scheduler).note(task, text)

    def remove_strays(self, app: AppName | None = None) -> int:
        return sum(scheduler.remove_strays(app) for scheduler in self._all())

    def written_bytes(self) -> Mapping[str, int]:
        return dict(chain.from_iterable(each.written_bytes().items() for each in self._all()))

    def kill_one_off(self, container: str) -> str:
        killed = (scheduler.kill_one_off(container) for scheduler in self._all())
        return next(filter(None, killed), "")

    def tasks(self, app: AppName | None = None) -> Sequence[Task]:
        return [
            task
            for name, scheduler in self._named_all()
            for task in _named(name, scheduler.tasks(app))
        ]

    def specimens(self, app: AppName) -> Sequence[Specimen]:
        return [each for scheduler in self._all() for each in scheduler.specimens(app)]

    def logs(
        self,
        app: AppName,
        *,
        tail: int,
        follow: bool,
        process: str | None,
        stop: Callable[[], bool],
    ) -> Iterator[tuple[str, LogLine] | None]:
        """Merge those of all schedulers; only the one that runs the app now is followed."""
        if follow:
            present = next((task.scheduler for task in self.tasks(app)), "")
            return self._get(present).logs(app, tail=tail, follow=True, process=process, stop=stop)
        found = [
            each.logs(app, tail=tail, follow=False, process=process, stop=stop)
            for each in self._all()
        ]
        merged = sorted(filter(None, chain(*found)), key=lambda line: line[1].at)
        return iter(merged[-tail:] if tail else [])

    def forget_logs(self, app: AppName) -> None:
        for scheduler in self._all():
            scheduler.forget_logs(app)

    def rename_logs(self, app: AppName, new: AppName) -> None:
        for scheduler in self._all():
            scheduler.rename_logs(app, new)

    @contextmanager
    def changes(self) -> Iterator[Iterator[AppName | None]]:
        """Listen to every scheduler, also to one that an app is the first to choose meanwhile."""
        found: queue.Queue[_Change] = queue.Queue()
        with ExitStack() as listening:

            def listen(scheduler: Scheduler) -> None:
                changes = listening.enter_context(scheduler.changes())
                threading.Thread(
                    target=_pass_on, args=[changes, found], name="scheduler changes", daemon=True
                ).start()

            present = self._all()
            with self._lock:
                missed = [each for each in self._made.values() if each not in present]
                self._appeared.append(listen)
            listening.callback(self._appeared.remove, listen)
            for scheduler in [*present, *missed]:
                listen(scheduler)
            listening.callback(found.put, _End.REACHED)
            yield _until_ended(found)

    def _of(self, manifest: Manifest) -> tuple[str, Scheduler]:
        name = manifest.scheduler or self._default
        return name, self._get(name)

    def _owners(self, tasks: Sequence[Task]) -> Sequence[tuple[Scheduler, Sequence[Task]]]:
        """The schedulers of ``tasks``, each with its own."""
        names = dict.fromkeys(task.scheduler for task in tasks)
        return [
            (self._get(name), [task for task in tasks if task.scheduler == name]) for name in names
        ]

    def _all(self) -> Sequence[Scheduler]:
        return [scheduler for _, scheduler in self._named_all()]

    def _named_all(self) -> Sequence[tuple[str, Scheduler]]:
        """Name those that any release uses or has used, that of the server first."""
        if not self._all_known:
            for name in [self._default, *self._used_before()]:
                if name in self._make:
                    self._get(name)
            self._all_known = True
        with self._lock:
            return list(self._made.items())

    def _get(self, name: str) -> Scheduler:
        name = name or self._default
        with self._lock:
            if name in self._made:
                return self._made[name]
            if name not in self._make:
                raise UserError(
                    f"there is no scheduler {name} here any more",
                    f"apps:set APP scheduler=, and then  ps:rebuild APP;"
                    f" there are: {', '.join(self._make)}",
                )
            self._made[name] = made = self._make[name]()
            appeared = list(self._appeared)
        for listen in appeared:
            listen(made)
        return made


def _named(name: str, tasks: Sequence[Task]) -> Sequence[Task]:
    return [replace(task, scheduler=name) for task in tasks]


def _pass_on(changes: Iterator[AppName | None], found: "queue.Queue[_Change]") -> None:
    try:
        for change in changes:
            found.put(change)
    except Exception as error:  # noqa: BLE001 - it belongs to whoever reads the changes
        found.put(error)


def _until_ended(found: "queue.Queue[_Change]") -> Iterator[AppName | None]:
    while (change := found.get()) is not _End.REACHED:
        if isinstance(change, Exception):
            raise change
        yield change
