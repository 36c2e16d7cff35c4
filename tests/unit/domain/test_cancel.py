"""Cancelling: until the point of no return, and then never."""

import threading

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Cancelled


def test_cancel_stops_what_is_going_on_and_every_later_step() -> None:
    cancellation, stopped = Cancellation(), []
    with cancellation.stopping(lambda: stopped.append("build")):
        assert cancellation.cancel("the client has gone")
    assert stopped == ["build"]
    with pytest.raises(Cancelled, match="cancelled: the client has gone"):
        cancellation.check()
    with pytest.raises(Cancelled):
        cancellation.commit()
    assert cancellation.cancelled


def test_cancel_after_the_commit_is_too_late() -> None:
    cancellation, stopped = Cancellation(), []
    with cancellation.stopping(lambda: stopped.append("build")):
        cancellation.commit()
        assert not cancellation.cancel("too late")
    assert stopped == []
    assert not cancellation.cancelled
    cancellation.check()


def test_second_cancel_stops_nothing_twice_and_keeps_the_first_reason() -> None:
    cancellation, stopped = Cancellation(), []
    with cancellation.stopping(lambda: stopped.append("build")):
        assert cancellation.cancel("first")
        assert cancellation.cancel("second")
    assert stopped == ["build"]
    with pytest.raises(Cancelled, match="first"):
        cancellation.check()


def test_step_that_begins_after_the_cancel_does_not_begin() -> None:
    cancellation = Cancellation()
    cancellation.cancel("gone")
    with (
        pytest.raises(Cancelled),
        cancellation.stopping(lambda: None),
    ):
        pytest.fail("the step began")


def test_step_that_has_ended_is_not_stopped() -> None:
    cancellation, stopped = Cancellation(), []
    with cancellation.stopping(lambda: stopped.append("build")):
        pass
    cancellation.cancel("gone")
    assert stopped == []


def test_steps_inside_one_another_are_all_stopped() -> None:
    cancellation, stopped = Cancellation(), []
    with (
        cancellation.stopping(lambda: stopped.append("outer")),
        cancellation.stopping(lambda: stopped.append("inner")),
    ):
        cancellation.cancel("gone")
    assert sorted(stopped) == ["inner", "outer"]


def test_branches_are_stopped_together_and_committed_each_for_itself() -> None:
    cancellation = Cancellation()
    with cancellation.branch() as one, cancellation.branch() as other:
        one.commit()
        assert cancellation.cancel("Ctrl-C")
        one.check()
        with pytest.raises(Cancelled, match="cancelled: Ctrl-C"):
            other.check()
    with pytest.raises(Cancelled), cancellation.branch():
        pytest.fail("it began")


def test_either_the_cancel_or_the_commit_wins_and_both_know_it() -> None:
    for _ in range(300):
        cancellation, barrier = Cancellation(), threading.Barrier(2)
        won: list[str] = []

        def cancel(
            cancellation: Cancellation = cancellation,
            barrier: threading.Barrier = barrier,
            won: list[str] = won,
        ) -> None:
            barrier.wait()
            if cancellation.cancel("race"):
                won.append("cancel")

        thread = threading.Thread(target=cancel)
        thread.start()
        barrier.wait()
        try:
            cancellation.commit()
            won.append("commit")
        except Cancelled:
            pass
        thread.join()
        assert len(won) == 1
        assert cancellation.cancelled == (won == ["cancel"])
