"""Keys are removed, but nobody shuts themselves out without having meant it."""

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import KeyName
from tests.unit.commands.machine import ADA, Machine, key_of

BOB = KeyName("bob")


def test_the_last_key_stays_unless_by_force(machine: Machine) -> None:
    keys = machine.context.flow.keys
    with pytest.raises(UserError, match="the last key"):
        keys.remove(ADA, BOB, force=False)
    assert list(keys.remove(ADA, BOB, force=True)) == []
    assert machine.store.keys.list() == []


def test_the_key_of_whoever_asks_stays_unless_by_force(machine: Machine) -> None:
    machine.store.keys.add(key_of(BOB))
    with pytest.raises(UserError, match="you are using"):
        machine.context.flow.keys.remove(ADA, ADA, force=False)
    machine.context.flow.keys.remove(BOB, ADA, force=False)
    assert [key.name for key in machine.store.keys.list()] == [ADA]


def test_keys_that_came_with_the_removed_one_are_told(machine: Machine) -> None:
    machine.store.keys.add(key_of(BOB), key_of("bob-2"))
    assert list(machine.context.flow.keys.remove(BOB, ADA, force=False)) == ["bob-2"]
