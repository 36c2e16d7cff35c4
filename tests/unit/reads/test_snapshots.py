"""What is told of snapshots: which there are, and which has the data of a former release."""

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName
from tests.unit.commands.machine import ADA, SHOP, Machine
from tests.unit.samples import candidate


def test_snapshots_that_are_being_taken_are_not_told_of(machine: Machine) -> None:
    machine.live()
    taken = machine.store.snapshots.create(SHOP, "By hand", ADA)
    machine.store.snapshots.create(SHOP, "By hand", ADA)
    machine.store.snapshots.complete(taken.id, "copy", {DiskName("data"): 1})
    assert [each.id for each in machine.context.reads.snapshots.all(SHOP)] == [taken.id]


def test_the_snapshot_before_the_next_release_has_what_one_left(machine: Machine) -> None:
    first = machine.live()
    taken = machine.store.snapshots.create(SHOP, "Before v2", ADA, 2)
    machine.store.snapshots.complete(taken.id, "copy", {DiskName("data"): 1})
    second = machine.store.releases.create(candidate(slug=first.slug))
    machine.store.releases.set_snapshot(SHOP, second.version, taken.id)
    machine.store.releases.make_live(SHOP, second.version)

    assert machine.context.reads.snapshots.left_by(first).id == taken.id
    with pytest.raises(UserError, match="no snapshot was taken when v2 was replaced"):
        machine.context.reads.snapshots.left_by(second)
