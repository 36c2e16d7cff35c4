"""An app whose disk has one writer, when things go wrong: never two versions at once, and nothing
that still runs is cut off."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.errors import BackendDown, BootFailed, PushdeployError
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.release import Candidate, Reason, ReleaseStatus
from pushdeploy.domain.route import Route, Target
from pushdeploy.domain.task import Slot, Task
from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from tests.memory import MemoryRouter, MemoryScheduler
from tests.unit.commands.machine import ADA, SHOP, WEB, Machine


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


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Machine]:
    """A live app whose disk is in no snapshot, so that nothing of it is put back."""
    yield from _live(tmp_path, NoHold())


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Machine]:
    """The same where requests can be held."""
    yield from _live(tmp_path, Holding())


def _live(home: Path, router: MemoryRouter) -> Iterator[Machine]:
    (home / "repositories").mkdir()
    machine = Machine(home, OneVersion(), router)
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live()
    machine.type("disks:set shop data snapshots=off")
    yield machine
    machine.store.close()


def scheduler_of(machine: Machine) -> OneVersion:
    assert isinstance(machine.scheduler, OneVersion)
    return machine.scheduler


def refuse() -> None:
    raise PushdeployError("not switched: staging failed")


def test_a_new_version_that_is_not_switched_to_ends_before_the_old_one_begins(
    shop: Machine,
) -> None:
    live = shop.store.releases.current(SHOP)
    assert live is not None
    shop.store.apps.set_stopped(SHOP, True)
    shop.context.flow.converger.converge(SHOP, Quiet())
    shop.store.apps.set_stopped(SHOP, False)
    candidate = Candidate(
        SHOP, live.slug, {}, shop.store.disks.of(SHOP), Reason.PROMOTE, "Promotion", ADA
    )
    with pytest.raises(PushdeployError, match="staging failed"):
        shop.context.flow.deployer.shipper.ship(
            candidate, Asker(ADA, Quiet(), Cancellation()), before_switch=refuse
        )
    assert scheduler_of(shop).mixed == []
    assert {task.version for task in shop.scheduler.tasks(SHOP)} == {1}
    assert shop.places() == ["web.1"]


def test_what_cannot_be_held_goes_on_serving_regression(shop: Machine) -> None:
    before = shop.router.table[SHOP].targets
    answer = shop.type("ps:restart shop")
    assert answer.status == 69
    assert "nothing can hold the requests of shop" in answer.errors
    assert shop.router.table[SHOP].targets == before
    assert shop.places() == ["web.1"]
    assert shop.context.locks.traffic.waiting_since(SHOP) is None


def test_a_renamed_app_has_one_writer_too_and_its_requests_wait(held: Machine) -> None:
    renamed = held.type("apps:rename shop store")
    assert renamed.status == 0, renamed.errors
    assert scheduler_of(held).mixed == []
    assert {str(task.app) for task in held.scheduler.tasks()} == {"store"}
    assert isinstance(held.router, Holding)
    assert held.router.came[-5:] == [
        "shop held",
        "store at 1",
        "shop at 1",
        "shop removed",
        "store at 1",
    ]
    assert held.context.locks.traffic.waiting_since(SHOP) is None


def test_a_rename_whose_new_name_does_not_start_serves_on_under_the_old_one(
    held: Machine,
) -> None:
    scheduler_of(held).refused = AppName("store")
    renamed = held.type("apps:rename shop store")
    assert renamed.status == 1
    assert scheduler_of(held).mixed == []
    assert held.places() == ["web.1"]
    assert len(held.router.table[SHOP].targets) == 1
    assert held.context.locks.traffic.waiting_since(SHOP) is None


def test_an_app_that_starts_under_neither_name_is_told_of_under_the_old_one(
    held: Machine,
) -> None:
    scheduler_of(held).broken = {WEB}
    renamed = held.type("apps:rename shop store")
    assert renamed.status == 1
    assert "then type:  ps:start shop" in renamed.errors + renamed.out
    assert held.store.apps.get(SHOP).name == SHOP
    scheduler_of(held).broken = set()
    assert held.type("ps:start shop").status == 0
    assert held.places() == ["web.1"]


def test_a_rename_whose_requests_cannot_be_held_changes_nothing(shop: Machine) -> None:
    before = shop.router.table[SHOP].targets
    assert shop.type("apps:rename shop store").status == 69
    assert shop.router.table[SHOP].targets == before
    assert shop.places() == ["web.1"]
    assert shop.store.apps.get(SHOP).name == SHOP


def test_nothing_is_started_beside_a_release_command_that_outlived_the_server(
    shop: Machine,
) -> None:
    live = shop.store.releases.current(SHOP)
    assert live is not None
    shop.scheduler.running.clear()
    disks = shop.store.disks.of(SHOP)
    candidate = Candidate(SHOP, live.slug, {}, disks, Reason.DEPLOY, "Deploy", ADA)
    made = shop.store.releases.create(replace(candidate, cut_over=CutOver.EXCLUSIVE))
    shop.store.releases.set_status(SHOP, made.version, ReleaseStatus.RELEASING)

    shop.context.upkeep.recovery.recover()

    scheduler = scheduler_of(shop)
    assert scheduler.finishing.wait(10)
    assert not shop.context.locks.traffic._locks[SHOP].acquire(blocking=False)
    assert shop.places() == []
    scheduler.finished.set()
    assert until(lambda: shop.places() == ["web.1"], 10)


def test_what_a_killed_server_was_starting_goes_before_another_takes_its_place(
    shop: Machine,
) -> None:
    [task] = shop.scheduler.running
    shop.scheduler.running[:] = [replace(task, state="stopped")]
    shop.context.flow.converger.converge(SHOP, Quiet(), requests_wait=True)
    assert scheduler_of(shop).mixed == []
    assert [task.state for task in shop.scheduler.tasks(SHOP)] == ["up"]


def test_what_the_engine_could_not_be_told_of_is_looked_after_later(held: Machine) -> None:
    """It was gone just when traffic had moved: the release is live, and its task serves."""
    scheduler = scheduler_of(held)
    [task] = scheduler.running
    scheduler.running[:] = [replace(task, state="starting")]
    held.context.flow.converger.converge(SHOP, Quiet(), requests_wait=True)
    assert [each.container for each in scheduler.confirmed] == [task.container]
    assert held.router.table[SHOP].site.state == "serving"
    assert scheduler.running[0].container == task.container


def test_a_restart_that_leaves_nothing_says_so_and_how_to_try_again(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live()
    machine.scheduler.broken.add(WEB)
    answer = machine.type("ps:restart shop")
    assert answer.status == 1
    assert "nothing of shop runs now: it is tried again by itself, and by ps:start shop" in (
        answer.errors
    )
    machine.scheduler.broken.clear()
    assert machine.type("ps:start shop").status == 0
    assert machine.places() == ["web.1"]


def test_a_restart_that_leaves_the_old_ones_does_not(machine: Machine) -> None:
    machine.live()
    machine.scheduler.broken.add(WEB)
    assert "runs now" not in machine.type("ps:restart shop").errors
    assert machine.places() == ["web.1"]
