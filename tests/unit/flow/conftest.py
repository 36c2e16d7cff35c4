"""Fixtures of the flow's tests: an asker, and apps whose disks one release at a time writes to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.output import Output
from tests.unit.commands.machine import ADA, SHOP, Machine
from tests.unit.flow.one_writer import Holding, NoHold, live_one_writer
from tests.unit.flow.orders import orders


@pytest.fixture
def told() -> list[str]:
    """The lines that the asker reads."""
    return []


@pytest.fixture
def asker(told: list[str]) -> Asker:
    return Asker(ADA, Output(told.append), Cancellation())


@pytest.fixture
def one_writer(tmp_path: Path) -> Iterator[Machine]:
    """A live app whose disk is in no snapshot, so that nothing of it is put back."""
    yield from live_one_writer(tmp_path, NoHold())


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Machine]:
    """The same where requests can be held."""
    yield from live_one_writer(tmp_path, Holding())


@pytest.fixture
def unsaved(machine: Machine) -> Machine:
    """A live app with a file on its disk, of which there is no snapshot."""
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live()
    orders(machine).write_text("one")
    return machine


@pytest.fixture
def shop(unsaved: Machine) -> Machine:
    """The same with a snapshot of its disk."""
    unsaved.type("disks:snapshot shop")
    return unsaved


@pytest.fixture
def unsettled(shop: Machine) -> Machine:
    """The same, and a failed release has changed the data and could not put it back."""
    shop.store.apps.set_put_back(SHOP, 1)
    orders(shop).write_text("torn")
    return shop
