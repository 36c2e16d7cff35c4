"""Apps that changed get their turn; those that are not settled get another one by themselves."""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import AppName
from pushdeploy.upkeep.changed_apps import ChangedApps, Condition

SHOP = AppName("shop")
BLOG = AppName("blog")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


class Looks:
    """Finds what is next in ``finds``, then that all is well; tells the test of each look."""

    def __init__(self, *finds: Condition) -> None:
        self._finds = list(finds)
        self.seen: queue.SimpleQueue[AppName] = queue.SimpleQueue()

    def one(self, name: AppName) -> Condition:
        found = self._finds.pop(0) if self._finds else Condition.SETTLED
        self.seen.put(name)
        return found

    def all(self) -> dict[AppName, Condition]:
        return {SHOP: Condition.SETTLED, BLOG: Condition.COMING}


@pytest.mark.parametrize("trouble", [Condition.COMING, Condition.FAILED])
def test_what_is_not_settled_is_looked_at_again_until_it_is(
    pool: ThreadPoolExecutor, trouble: Condition
) -> None:
    looks = Looks(trouble, trouble)
    changed = ChangedApps(pool, looks.one, looks.all)
    changed.mark(SHOP)
    assert [looks.seen.get(timeout=20) for _ in range(3)] == [SHOP] * 3
    changed.close()
    pool.shutdown()
    assert looks.seen.empty()


@pytest.mark.parametrize("trouble", [BackendDown("Docker is gone"), ZeroDivisionError()])
@pytest.mark.parametrize("name", [SHOP, None])
def test_a_look_that_fails_is_tried_again(
    pool: ThreadPoolExecutor, name: AppName | None, trouble: Exception
) -> None:
    looks: queue.SimpleQueue[AppName | None] = queue.SimpleQueue()
    troubles = [trouble, trouble]

    def look(name: AppName | None) -> None:
        looks.put(name)
        if troubles:
            raise troubles.pop()

    def one(name: AppName) -> Condition:
        look(name)
        return Condition.SETTLED

    def everything() -> dict[AppName, Condition]:
        look(None)
        return {}

    changed = ChangedApps(pool, one, everything)
    changed.mark(name)
    assert [looks.get(timeout=20) for _ in range(3)] == [name] * 3
    changed.mark(name)
    assert looks.get(timeout=20) == name
    changed.close()


def test_a_look_at_everything_leads_to_another_at_what_was_not_settled(
    pool: ThreadPoolExecutor,
) -> None:
    looks = Looks()
    changed = ChangedApps(pool, looks.one, looks.all)
    changed.mark(None)
    assert looks.seen.get(timeout=20) == BLOG
    changed.close()


def test_a_change_during_a_look_leads_to_one_more(pool: ThreadPoolExecutor) -> None:
    begun, go_on = threading.Event(), threading.Event()
    looks = Looks()

    def one(name: AppName) -> Condition:
        begun.set()
        assert go_on.wait(20)
        return looks.one(name)

    changed = ChangedApps(pool, one, looks.all)
    changed.mark(SHOP)
    assert begun.wait(20)
    changed.mark(SHOP)
    changed.mark(SHOP)
    go_on.set()
    assert [looks.seen.get(timeout=20) for _ in range(2)] == [SHOP] * 2
    pool.shutdown()
    assert looks.seen.empty()


def test_nothing_begins_once_it_is_closed(pool: ThreadPoolExecutor) -> None:
    looks = Looks(Condition.COMING)
    changed = ChangedApps(pool, looks.one, looks.all)
    changed.mark(SHOP)
    assert looks.seen.get(timeout=20) == SHOP
    changed.close()
    pool.shutdown()
    changed.mark(SHOP)
    assert looks.seen.empty()
