"""Each app has the scheduler of its choice, and its tasks go back to where they came from."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.manifest import Limits, Manifest, ProcessSpec
from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.task import Slot
from pushdeploy.output import Quiet
from pushdeploy.run.app_schedulers import AppSchedulers
from tests.memory import MemoryScheduler
from tests.unit.samples import BLOG, SHOP, WEB


@dataclass(slots=True)
class Telling(MemoryScheduler):
    """Its changes are those that a test puts in."""

    told: "queue.Queue[AppName | None]" = field(default_factory=queue.Queue)
    listened: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def changes(self) -> Iterator[Iterator[AppName | None]]:
        ended = AppName("ended")

        def until_ended() -> Iterator[AppName | None]:
            self.listened.set()
            while (app := self.told.get()) != ended:
                yield app

        try:
            yield until_ended()
        finally:
            self.told.put(ended)


class Two:
    """The server's own, and another that an app may choose."""

    def __init__(self, *used: str) -> None:
        self.made: list[str] = []
        self.own, self.other = Telling(), Telling()
        make = {"own": self._making("own", self.own), "other": self._making("other", self.other)}
        self.both = AppSchedulers("own", make, lambda: used)

    def _making(self, name: str, scheduler: Telling) -> Callable[[], Telling]:
        def make() -> Telling:
            self.made.append(name)
            return scheduler

        return make

    def run(self, app: AppName, scheduler: str = "", version: int = 1) -> Any:
        manifest = Manifest(
            app=app,
            version=version,
            image=ImageDigest("sha256:1"),
            environment={},
            processes={WEB: ProcessSpec("serve", 1)},
            mounts=[],
            user=None,
            group=1,
            port=5000,
            limits=Limits(),
            boot_timeout_seconds=1,
            stop_grace_seconds=1,
        )
        named = replace(manifest, scheduler=scheduler)
        return self.both.run(named, [Slot(WEB, 1)], Quiet(), Cancellation())


def test_a_scheduler_that_nobody_has_chosen_is_neither_made_nor_asked() -> None:
    two = Two()
    two.run(SHOP)
    assert [task.app for task in two.both.tasks()] == [SHOP]
    assert two.made == ["own"]


def test_tasks_start_where_their_manifest_says_and_are_stopped_there() -> None:
    two = Two()
    [first], [second] = two.run(SHOP), two.run(BLOG, "other")
    assert [task.app for task in two.own.running] == [SHOP]
    assert [task.app for task in two.other.running] == [BLOG]
    assert {task.scheduler for task in two.both.tasks()} == {"own", "other"}

    two.both.stop([first, second], 1)

    assert two.own.running == two.other.running == []


def test_the_old_scheduler_stops_the_tasks_of_the_release_before() -> None:
    two = Two()
    two.run(SHOP, "other", version=1)
    two.run(SHOP, "own", version=2)
    old = [task for task in two.both.tasks(SHOP) if task.version == 1]
    two.both.stop(old, 1)
    assert [task.version for task in two.both.tasks(SHOP)] == [2]
    assert two.other.running == []


def test_what_a_killed_server_left_on_another_scheduler_is_found() -> None:
    before = Two()
    before.run(SHOP, "other")
    after = Two("other", "gone")
    after.other.running = before.other.running
    [task] = after.both.tasks(SHOP)
    assert task.scheduler == "other"


def test_a_task_that_does_not_stop_keeps_no_other_from_being_stopped() -> None:
    class Stuck(Telling):
        def stop(self, tasks: Any, grace_seconds: int) -> None:
            raise UserError("it does not stop")

    two = Two()
    [first], [second] = two.run(SHOP), two.run(BLOG, "other")
    two.both._made["own"] = Stuck()
    with pytest.raises(UserError):
        two.both.stop([first, second], 1)
    assert two.other.running == []


def test_a_scheduler_that_is_gone_is_named_with_what_to_type() -> None:
    with pytest.raises(UserError, match="no scheduler swarm") as caught:
        Two().run(SHOP, "swarm")
    assert "apps:set" in caught.value.hint


def test_log_lines_of_both_are_in_the_order_of_time() -> None:
    two = Two("other")
    for scheduler, minutes in ((two.own, (1, 3)), (two.other, (2, 4))):
        scheduler.lines = [
            ("web.1", LogLine(datetime(2026, 1, 1, 0, each, tzinfo=UTC), 1, str(each)))
            for each in minutes
        ]
    found = two.both.logs(SHOP, tail=3, follow=False, process=None, stop=lambda: True)
    assert [each[1].text for each in found if each] == ["2", "3", "4"]


def test_changes_of_a_scheduler_that_is_chosen_later_are_heard_too() -> None:
    two = Two()
    with two.both.changes() as changes:
        two.own.told.put(SHOP)
        assert next(changes) == SHOP
        two.run(BLOG, "other")
        assert two.other.listened.wait(10)
        two.other.told.put(BLOG)
        assert next(changes) == BLOG
    assert list(changes) == []
