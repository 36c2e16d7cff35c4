"""Apps that changed get their turn; those that are not settled get another one by themselves."""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import AppName
from pushdeploy.upkeep.dirty import Dirty, Found

SHOP = AppName("shop")
BLOG = AppName("blog")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


class Looks:
    """Finds what is next in ``finds``, then that all is well; tells the test of each look."""

    def __init__(self, *finds: Found) -> None:
        self._finds = list(finds)
        self.seen: queue.SimpleQueue[AppName] = queue.SimpleQueue()

    def one(self, name: AppName) -> Found:
        found = self._finds.pop(0) if self._finds else Found.SETTLED
        self.seen.put(name)
        return found

    def all(self) -> dict[AppName, Found]:
        return {SHOP: Found.SETTLED, BLOG: Found.COMING}


@pytest.mark.parametrize("trouble", [Found.COMING, Found.FAILED])
def test_what_is_not_settled_is_looked_at_again_until_it_is(
    pool: ThreadPoolExecutor, trouble: Found
) -> None:
    looks = Looks(trouble, trouble)
    dirty = Dirty(pool, looks.one, looks.all)
    dirty.mark(SHOP)
    assert [looks.seen.get(timeout=20) for _ in range(3)] == [SHOP] * 3
    dirty.close()
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

    def one(name: AppName) -> Found:
        look(name)
        return Found.SETTLED

    def everything() -> dict[AppName, Found]:
        look(None)
        return {}

    dirty = Dirty(pool, one, everything)
    dirty.mark(name)
    assert [looks.get(timeout=20) for _ in range(3)] == [name] * 3
    dirty.mark(name)
    assert looks.get(timeout=20) == name
    dirty.close()


def test_a_look_at_everything_leads_to_another_at_what_was_not_settled(
    pool: ThreadPoolExecutor,
) -> None:
    looks = Looks()
    dirty = Dirty(pool, looks.one, looks.all)
    dirty.mark(None)
    assert looks.seen.get(timeout=20) == BLOG
    dirty.close()


def test_a_change_during_a_look_leads_to_one_more(pool: ThreadPoolExecutor) -> None:
    begun, go_on = threading.Event(), threading.Event()
    looks = Looks()

    def one(name: AppName) -> Found:
        begun.set()
        assert go_on.wait(20)
        return looks.one(name)

    dirty = Dirty(pool, one, looks.all)
    dirty.mark(SHOP)
    assert begun.wait(20)
    dirty.mark(SHOP)
    dirty.mark(SHOP)
    go_on.set()
    assert [looks.seen.get(timeout=20) for _ in range(2)] == [SHOP] * 2
    pool.shutdown()
    assert looks.seen.empty()


def test_nothing_begins_once_it_is_closed(pool: ThreadPoolExecutor) -> None:
    looks = Looks(Found.COMING)
    dirty = Dirty(pool, looks.one, looks.all)
    dirty.mark(SHOP)
    assert looks.seen.get(timeout=20) == SHOP
    dirty.close()
    pool.shutdown()
    dirty.mark(SHOP)
    assert looks.seen.empty()
