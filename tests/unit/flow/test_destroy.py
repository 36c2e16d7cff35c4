"""An app goes with all that is its own, but for the data on its disks."""

from dataclasses import replace
from typing import Any

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import DiskName
from tests.unit.commands.machine import SHOP, Machine

DATA = DiskName("data")


@pytest.mark.parametrize("with_data", [False, True])
def test_only_the_data_of_its_disks_may_stay(
    machine: Machine, asker: Asker, with_data: bool
) -> None:
    machine.context.flow.new_apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment(DATA, "/data")])
    machine.live()
    data = machine.context.back_ends.disks.path(SHOP, DATA) / "notes"
    data.write_text("kept")

    kept = machine.context.flow.destruction.destroy(SHOP, asker, with_data=with_data)

    assert list(kept) == ([] if with_data else [DATA])
    assert data.exists() is not with_data
    assert machine.store.apps.find(SHOP) is None
    assert machine.places() == []
    assert SHOP not in machine.router.table
    assert not machine.refs.path(SHOP).exists()


def test_certificates_that_cannot_be_shown_now_keep_no_app_half_there(
    machine: Machine, asker: Asker
) -> None:
    machine.context.flow.new_apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment(DATA, "/data")])
    machine.live()
    machine.router.shows_nothing = True
    machine.context.flow.destruction.destroy(SHOP, asker, with_data=True)
    assert machine.store.apps.find(SHOP) is None
    assert not machine.context.back_ends.disks.path(SHOP, DATA).exists()
    assert not machine.store.meta.starting_with("destroying")


class Killed(BaseException):
    """The server is killed here: nothing that catches errors sees it."""


class KilledAt:
    """A part whose ``method`` does its work, and is the last that the server does."""

    def __init__(self, part: Any, method: str) -> None:
        self._part = part
        self._method = method

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if name != self._method:
            return found

        def last(*arguments: Any) -> None:
            found(*arguments)
            raise Killed

        return last


@pytest.mark.parametrize("with_data", [False, True])
@pytest.mark.parametrize(
    ("part", "method"),
    [
        ("rehearsals", "cancel"),
        ("converger", "forget"),
        ("refs", "remove"),
        ("scheduler", "forget_logs"),
        ("errands", "forget_builds"),
    ],
)
def test_what_a_killed_server_has_begun_is_finished_at_the_next_start(
    machine: Machine, asker: Asker, part: str, method: str, with_data: bool
) -> None:
    machine.context.flow.new_apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment(DATA, "/data")])
    machine.live()
    data = machine.context.back_ends.disks.path(SHOP, DATA) / "notes"
    data.write_text("kept")
    whole = machine.context.flow.destruction
    last: dict[str, Any] = {part: KilledAt(getattr(whole, part), method)}
    killed = replace(whole, **last)
    with pytest.raises(Killed):
        killed.destroy(SHOP, asker, with_data=with_data)

    whole.recover()

    assert machine.store.apps.find(SHOP) is None
    assert machine.places() == []
    assert SHOP not in machine.router.table
    assert not machine.refs.path(SHOP).exists()
    assert data.exists() is not with_data
    assert not machine.store.meta.starting_with("destroying")
    machine.context.flow.new_apps.create(SHOP)
    whole.recover()
    assert machine.store.apps.find(SHOP) is not None
