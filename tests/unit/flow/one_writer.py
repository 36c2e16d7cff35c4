"""Back-ends that tell when an app whose disk has one writer had two, and what was held."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import BackendDown, BootFailed
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.route import Route, Target
from pushdeploy.domain.task import Slot, Task
from tests.memory import MemoryRouter, MemoryScheduler
from tests.unit.commands.machine import SHOP, Machine


class OneVersion(MemoryScheduler):
    """Notes when tasks of one version are started beside those of another."""

    def __init__(self) -> None:
        super().__init__()
        self.mixed: list[str] = []
        self.confirmed: list[Task] = []
        self.refused: AppName | None = None
        self.finishing, self.finished = threading.Event(), threading.Event()

    def confirm(self, tasks: Sequence[Task]) -> None:
        self.confirmed += tasks

    def listening(self, tasks: Sequence[Task]) -> Sequence[Task]:
        return [task for task in tasks if task.state == "up"]

    def finish_once(
        self, app: AppName, name: str, timeout_seconds: float, line: Callable[[str], None]
    ) -> int | None:
        self.finishing.set()
        assert self.finished.wait(10)
        return 0

    def run(
        self,
        manifest: Manifest,
        slots: Sequence[Slot],
        output: Output,
        cancellation: Cancellation,
        gate: StartGate | None = None,
    ) -> Sequence[Task]:
        if manifest.app == self.refused:
            raise BootFailed(f"{manifest.app} does not start")
        made = MemoryScheduler.run(self, manifest, slots, output, cancellation, gate)
        places = [f"{task.app} {task.slot} v{task.version}" for task in self.running]
        self.mixed += [f"{place} twice" for place in places if places.count(place) > 1]
        writers = {f"{task.app} v{task.version}" for task in self.running}
        if len(writers) > 1:
            self.mixed.append(f"{', '.join(sorted(writers))} at once")
        return made


class Holding(MemoryRouter):
    """Keeps the routes in the order in which they came."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[str] = []

    @contextmanager
    def hold(
        self, route: Route, leaving: Sequence[Target], drain_seconds: float, output: Output
    ) -> Iterator[None]:
        self.came.append(f"{route.app} held")
        yield

    def switch(
        self,
        route: Route,
        leaving: Sequence[Target],
        drain_seconds: float,
        output: Output,
        fallen: Cancellation | None = None,
    ) -> None:
        self.came.append(f"{route.app} at {len(route.targets)}")
        super().switch(route, leaving, drain_seconds, output, fallen)

    def remove(self, app: AppName) -> None:
        self.came.append(f"{app} removed")
        super().remove(app)


class NoHold(MemoryRouter):
    def hold(
        self, route: Route, leaving: Sequence[Target], drain_seconds: float, output: Output
    ) -> NoReturn:
        raise BackendDown("nothing can hold the requests of shop")


def scheduler_of(machine: Machine) -> OneVersion:
    assert isinstance(machine.scheduler, OneVersion)
    return machine.scheduler


def live_one_writer(home: Path, router: MemoryRouter) -> Iterator[Machine]:
    """A live app whose disk is in no snapshot, so that nothing of it is put back."""
    (home / "repositories").mkdir()
    machine = Machine(home, OneVersion(), router)
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live()
    machine.type("disks:set shop data snapshots=off")
    yield machine
    machine.store.close()
