"""A person's lock on an app, and deploys that are cancelled from elsewhere."""

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import UserError
from tests.unit.commands.machine import ADA, SHOP, Machine


def test_the_message_of_a_lock_is_one_line_that_steers_no_terminal(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.context.flow.locking.lock(SHOP, "no\x1b[2J deploys\r\n before" + " the fair" * 99, ADA)
    lock = machine.store.apps.get(SHOP).lock
    assert lock is not None
    assert lock.message.startswith("no [2J deploys before the fair")
    assert len(lock.message) == 200


def test_who_locks_an_app_is_told_what_is_going_on(machine: Machine, asker: Asker) -> None:
    machine.store.apps.create(SHOP)
    locking = machine.context.flow.locking
    assert locking.lock(SHOP, "", ADA) is None
    with machine.context.flow.turns.of(SHOP, "rebuild", asker):
        going_on = locking.lock(SHOP, "", ADA)
    assert going_on is not None
    assert going_on.what == "rebuild"


def test_a_deploy_is_cancelled_until_it_is_too_late(machine: Machine, asker: Asker) -> None:
    machine.store.apps.create(SHOP)
    locking = machine.context.flow.locking
    with pytest.raises(UserError, match="nothing is being deployed"):
        locking.cancel(SHOP, ADA)
    with machine.context.flow.turns.of(SHOP, "rebuild", asker):
        assert locking.cancel(SHOP, ADA).what == "rebuild"
        assert asker.cancellation.cancelled


def test_what_nobody_can_cancel_any_more_goes_on(machine: Machine, asker: Asker) -> None:
    machine.store.apps.create(SHOP)
    with (
        machine.context.flow.turns.to_its_end(SHOP, "scale", asker),
        pytest.raises(UserError, match="too late: the scale goes on"),
    ):
        machine.context.flow.locking.cancel(SHOP, ADA)
