"""One deploy per app at a time; the rest wait, say so, and give way to newer pushes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Busy, Cancelled, Overtaken
from pushdeploy.domain.names import AppName
from pushdeploy.locks import AppLocks, GoingOn, OneOff, OneOffs, Purpose, TrafficLocks, Writers
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


def test_one_off_commands_write_side_by_side() -> None:
    writers = Writers()
    with (
        writers.writing(SHOP, "run.1", "ada"),
        writers.writing(SHOP, "run.2", "bob"),
    ):
        pass


def test_who_wants_to_write_alone_is_told_who_writes() -> None:
    writers = Writers()
    with (
        writers.writing(SHOP, "run.1", "ada"),
        pytest.raises(Busy, match=r"run\.1 of ada") as refused,
        writers.alone(SHOP, "release v2"),
    ):
        pass
    assert "ps:stop shop run.1" in refused.value.hint
    with writers.alone(SHOP, "release v2"):
        pass


def test_nobody_begins_to_write_beside_who_writes_alone() -> None:
    writers = Writers()
    with writers.alone(SHOP, "release v2"):
        with (
            pytest.raises(Busy, match="release v2"),
            writers.writing(SHOP, "run.1", "ada"),
        ):
            pass
        with writers.writing(BLOG, "run.1", "ada"):
            pass
    with writers.writing(SHOP, "run.1", "ada"):
        pass


def test_a_one_off_command_is_seen_while_it_runs_and_can_be_ended_by_its_name() -> None:
    one_offs, one = OneOffs(), OneOff(SHOP, "run.1", 7, Cancellation())
    with one_offs.running(one):
        assert list(one_offs.of(SHOP)) == [one]
        assert not one_offs.of(BLOG)
        assert not one_offs.cancel(SHOP, "run.2", "bob stopped it")
        assert not one_offs.cancel(BLOG, "run.1", "bob stopped it")
        assert one_offs.cancel(SHOP, "run.1", "bob stopped it")
    assert one.cancellation.cancelled
    assert not one_offs.of(SHOP)
    assert not one_offs.cancel(SHOP, "run.1", "bob stopped it")


def test_people_are_told_since_when_requests_wait() -> None:
    traffic = TrafficLocks()
    assert traffic.waiting_since(SHOP) is None
    traffic.requests_wait(SHOP)
    assert traffic.waiting_since(SHOP) is not None
    assert traffic.waiting_since(BLOG) is None
    traffic.requests_go_on(SHOP)
    assert traffic.waiting_since(SHOP) is None


def test_what_goes_on_is_ended_by_app_and_waited_for() -> None:
    going_on, begun = GoingOn(), threading.Barrier(3)
    cancellations = {app: Cancellation() for app in (SHOP, BLOG)}

    def work(app: AppName) -> None:
        with going_on.noted(app, cancellations[app]), ExitStack() as waiting:
            over = threading.Event()
            waiting.enter_context(cancellations[app].stopping(over.set))
            begun.wait(10)
            assert over.wait(10)

    threads = {app: threading.Thread(target=work, args=[app]) for app in cancellations}
    for thread in threads.values():
        thread.start()
    begun.wait(10)
    going_on.cancel("the app is being destroyed", SHOP)
    threads[SHOP].join(10)
    assert [threads[app].is_alive() for app in (SHOP, BLOG)] == [False, True]
    going_on.cancel("the server is being stopped", timeout_seconds=0)
    threads[BLOG].join(10)
    assert not threads[BLOG].is_alive()
    going_on.cancel("nobody is there")
