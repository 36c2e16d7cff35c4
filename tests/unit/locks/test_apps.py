"""One deploy per app at a time; the rest wait, say so, and give way to newer pushes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Cancelled, Overtaken
from pushdeploy.domain.names import AppName
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.output import Output, Quiet

SHOP = AppName("shop")
BLOG = AppName("blog")
DEADLINE_SECONDS = 20


class Deploy:
    """A thread that takes the app's lock and holds it until it is told to let go."""

    def __init__(self, locks: AppLocks, name: str, supersedes: str | None = None) -> None:
        self.cancellation = Cancellation()
        self.waiting, self.holding, self.done = (threading.Event() for _ in range(3))
        self.let_go = threading.Event()
        self.said: list[str] = []
        self.error: BaseException | None = None
        self._purpose = Purpose(name, "alice", supersedes)
        self._locks = locks
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._locks.hold(SHOP, self._purpose, Output(self._say), self.cancellation):
                self.holding.set()
                assert self.let_go.wait(DEADLINE_SECONDS)
        except (Cancelled, Overtaken) as error:
            self.error = error
        self.done.set()

    def _say(self, line: str) -> None:
        self.said.append(line)
        self.waiting.set()

    def ended(self) -> bool:
        return self.done.wait(DEADLINE_SECONDS)


@pytest.fixture
def locks() -> AppLocks:
    return AppLocks()


@contextmanager
def held(locks: AppLocks) -> Iterator[Deploy]:
    """A deploy that holds the lock."""
    first = Deploy(locks, "deploy of abc1234", "main")
    assert first.holding.wait(DEADLINE_SECONDS)
    yield first
    first.let_go.set()
    assert first.ended()


def queued(locks: AppLocks, name: str, supersedes: str | None = None) -> Deploy:
    """A deploy that has said that it waits."""
    deploy = Deploy(locks, name, supersedes)
    assert deploy.waiting.wait(DEADLINE_SECONDS)
    return deploy


def test_second_deploy_waits_and_says_for_whom(locks: AppLocks) -> None:
    with held(locks) as first:
        second = queued(locks, "config change")
        assert second.said[0].strip().startswith("waiting: deploy of abc1234 by alice since ")
        assert not second.holding.is_set()
        first.let_go.set()
        assert second.holding.wait(DEADLINE_SECONDS)
        second.let_go.set()
        assert second.ended()
    assert second.error is None
    assert locks.holder(SHOP) is None


def test_apps_do_not_wait_for_each_other(locks: AppLocks) -> None:
    with held(locks), locks.hold(BLOG, Purpose("deploy", "bob"), Quiet(), Cancellation()):
        holder = locks.holder(BLOG)
        assert holder is not None
        assert holder[0].by == "bob"


def test_waiting_push_is_overtaken_by_a_newer_one_of_its_branch(locks: AppLocks) -> None:
    with held(locks) as first:
        second = queued(locks, "deploy of bbb", "main")
        third = Deploy(locks, "deploy of ccc", "main")
        assert second.ended()
        assert isinstance(second.error, Overtaken)
        assert "deploy of ccc by alice" in str(second.error)
        first.let_go.set()
        assert third.holding.wait(DEADLINE_SECONDS)
        third.let_go.set()
        assert third.ended()


def test_push_that_is_being_deployed_and_other_purposes_are_never_overtaken(
    locks: AppLocks,
) -> None:
    with held(locks) as first:
        config = queued(locks, "config change")
        other_branch = queued(locks, "deploy of bbb", "other")
        push = queued(locks, "deploy of ccc", "main")
        for deploy in (first, config, other_branch, push):
            assert deploy.holding.wait(DEADLINE_SECONDS)
            deploy.let_go.set()
            assert deploy.ended()
            assert deploy.error is None


def test_waiting_deploy_can_be_cancelled_and_leaves_no_place_behind(locks: AppLocks) -> None:
    with held(locks) as first:
        second = queued(locks, "deploy of bbb")
        third = queued(locks, "deploy of ccc")
        second.cancellation.cancel("the client has gone")
        assert second.ended()
        assert isinstance(second.error, Cancelled)
        first.let_go.set()
        assert third.holding.wait(DEADLINE_SECONDS)
        third.let_go.set()
        assert third.ended()


def test_cancel_just_when_the_wait_is_announced_is_not_slept_through_regression(
    locks: AppLocks,
) -> None:
    def wait_and_cancel() -> None:
        cancellation = Cancellation()

        def cancel(_line: str) -> None:
            cancellation.cancel("gone")

        output = Output(cancel)
        with (
            pytest.raises(Cancelled),
            locks.hold(SHOP, Purpose("deploy", "bob"), output, cancellation),
        ):
            pytest.fail("it took the lock")

    with held(locks):
        assert _ends(wait_and_cancel)


def test_overtaking_just_when_the_wait_is_announced_is_not_slept_through_regression(
    locks: AppLocks,
) -> None:
    newer: list[Deploy] = []

    def be_overtaken() -> None:
        output = Output(lambda _: newer.append(queued(locks, "deploy of ccc", "main")))
        purpose = Purpose("deploy of bbb", "bob", "main")
        with (
            pytest.raises(Overtaken),
            locks.hold(SHOP, purpose, output, Cancellation()),
        ):
            pytest.fail("it took the lock")

    with held(locks):
        assert _ends(be_overtaken)
    newer[0].let_go.set()
    assert newer[0].ended()


def test_cancel_from_elsewhere_reaches_the_holder_until_it_is_too_late(locks: AppLocks) -> None:
    assert locks.cancel(SHOP, "builds:cancel") is None
    with held(locks) as first:
        first.cancellation.commit()
        assert locks.cancel(SHOP, "builds:cancel") is False
    with held(locks) as second:
        assert locks.cancel(SHOP, "builds:cancel") is True
        assert second.cancellation.cancelled


def test_lock_is_free_again_after_an_error(locks: AppLocks) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        locks.hold(SHOP, Purpose("deploy", "bob"), Quiet(), Cancellation()),
    ):
        raise ZeroDivisionError
    assert locks.holder(SHOP) is None


def test_many_deploys_go_one_after_another_in_the_order_of_their_arrival(locks: AppLocks) -> None:
    with held(locks) as first:
        waiting = [queued(locks, f"deploy {number}") for number in range(10)]
        first.let_go.set()
        for number, deploy in enumerate(waiting):
            assert deploy.holding.wait(DEADLINE_SECONDS)
            assert not any(later.holding.is_set() for later in waiting[number + 1 :])
            deploy.let_go.set()
            assert deploy.ended()


def _ends(act: Callable[[], None]) -> bool:
    """Whether ``act`` comes to its end without waiting for the lock to become free."""
    done = threading.Event()

    def run() -> None:
        act()
        done.set()

    threading.Thread(target=run, daemon=True).start()
    return done.wait(DEADLINE_SECONDS)


def test_while_all_locks_are_held_a_deploy_waits_and_then_goes_on(locks: AppLocks) -> None:
    with locks.hold_all(0) as taken:
        assert taken
        waiting = Deploy(locks, "deploy of abc1234", "main")
        behind = Deploy(locks, "deploy of def5678")
        assert behind.waiting.wait(DEADLINE_SECONDS)  # its coming wakes the first one
        with locks.hold_all(0.05) as again:
            assert not again
        assert not waiting.holding.is_set()
    assert waiting.holding.wait(DEADLINE_SECONDS)
    assert waiting.said == []
    for deploy in (waiting, behind):
        deploy.let_go.set()
        assert deploy.ended()


def test_all_locks_cannot_be_held_while_one_is(locks: AppLocks) -> None:
    with held(locks), locks.hold_all(0.05) as taken:
        assert not taken
    with locks.hold_all(DEADLINE_SECONDS) as taken:
        assert taken


def test_a_wait_for_all_locks_can_be_cancelled(locks: AppLocks) -> None:
    with locks.hold_all(0):
        waiting = Deploy(locks, "deploy of abc1234", "main")
        assert locks.wait_until_free(0) is False
        waiting.cancellation.cancel("enough")
        assert waiting.ended()
    assert isinstance(waiting.error, Cancelled)
