"""Whoever changes an app waits for its lock, and finds the app as it is then."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest

from pushdeploy.domain.app import App, AppLock
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Busy, Cancelled, PushdeployError, UnknownApp
from pushdeploy.domain.names import AppName
from pushdeploy.flow.turn import Turns
from pushdeploy.output import Output, Quiet
from tests.unit.commands.machine import ADA, SHOP, Machine
from tests.unit.commands.versions import two_versions

STORE = AppName("store")
SECONDS = 20


@pytest.fixture
def turns(machine: Machine) -> Turns:
    machine.store.apps.create(SHOP)
    return machine.context.flow.turns


def asker(output: Output | None = None) -> Asker:
    return Asker(ADA, output or Quiet(), Cancellation())


def lock(machine: Machine) -> None:
    machine.store.apps.set_lock(SHOP, AppLock(ADA, "", datetime.now(UTC)))


def waited_for(
    turns: Turns,
    turn: Callable[[Asker], AbstractContextManager[App]],
    meanwhile: Callable[[], None],
) -> list[PushdeployError]:
    """What a turn raises for whose lock somebody has waited ``meanwhile``."""
    raised: list[PushdeployError] = []
    waits = threading.Event()

    def wait() -> None:
        try:
            with turn(asker(Output(lambda _: waits.set()))):
                pass
        except PushdeployError as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    with turns.of(SHOP, "deploy", asker()):
        thread.start()
        assert waits.wait(SECONDS)
        meanwhile()
    thread.join(SECONDS)
    assert not thread.is_alive()
    return raised


def test_an_app_that_is_not_there_has_no_turn(turns: Turns) -> None:
    with pytest.raises(UnknownApp), turns.of(STORE, "deploy", asker()):
        pytest.fail("it has begun")
    assert turns.locks.holder(STORE) is None


def test_an_app_that_goes_during_the_wait_has_no_turn(turns: Turns) -> None:
    def destroy() -> None:
        turns.store.apps.destroy(SHOP)

    [error] = waited_for(turns, lambda who: turns.of(SHOP, "restart", who), destroy)
    assert isinstance(error, UnknownApp)
    assert turns.locks.holder(SHOP) is None


def test_the_app_is_as_it_is_after_the_wait(turns: Turns) -> None:
    turns.store.apps.set_stopped(SHOP, True)
    with turns.of(SHOP, "start", asker()) as app:
        assert app.stopped


def test_what_goes_to_its_end_is_cancelled_while_it_waits_and_not_later(turns: Turns) -> None:
    who = asker()
    with turns.to_its_end(SHOP, "scale", who):
        assert who.cancellation.cancel("Ctrl-C") is False
    who = asker()
    who.cancellation.cancel("Ctrl-C")
    with pytest.raises(Cancelled), turns.to_its_end(SHOP, "scale", who):
        pytest.fail("it has begun")


def test_new_code_is_refused_at_once_where_a_person_has_locked_the_app(
    machine: Machine, turns: Turns
) -> None:
    lock(machine)
    with (
        turns.of(SHOP, "restart", asker()),
        pytest.raises(Busy, match="was locked by ada"),
        turns.for_code(SHOP, "deploy", asker()),
    ):
        pytest.fail("it has begun")


def test_new_code_is_refused_where_a_person_locks_the_app_meanwhile(
    machine: Machine, turns: Turns
) -> None:
    [error] = waited_for(
        turns, lambda who: turns.for_code(SHOP, "deploy", who), lambda: lock(machine)
    )
    assert isinstance(error, Busy)


def test_several_names_are_held_at_once_and_let_go_together(turns: Turns) -> None:
    with turns.of_several((STORE, SHOP), "rename", asker()):
        assert all(turns.locks.holder(name) for name in (SHOP, STORE))
    assert not any(turns.locks.holder(name) for name in (SHOP, STORE))


def test_a_locked_app_can_be_configured_scaled_restarted_and_rolled_back(
    machine: Machine,
) -> None:
    two_versions(machine)
    machine.type("apps:lock shop")
    for line in (
        "config:set shop A=1",
        "ps:scale shop web=2",
        "ps:restart shop",
        "releases:rollback shop v1",
    ):
        assert machine.type(line).status == 0, line
