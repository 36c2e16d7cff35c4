"""A second app begins as a copy of another."""

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import AppName, DiskName
from tests.unit.commands.machine import SHOP, WEB, Machine

COPY = AppName("shop-copy")


@pytest.mark.parametrize("deploy", [True, False])
def test_a_copy_has_config_formation_disks_and_slug_of_its_model(
    machine: Machine, asker: Asker, deploy: bool
) -> None:
    machine.context.flow.new_apps.create(SHOP)
    machine.store.config.replace(SHOP, {"TOKEN": "1"})
    machine.store.disks.replace(SHOP, [Attachment(DiskName("data"), "/data")])
    machine.store.apps.set_formation(SHOP, {WEB: 2})
    live = machine.live()

    made = machine.context.flow.clones.clone(
        machine.store.apps.get(SHOP), COPY, asker, deploy=deploy
    )

    assert [result.outcome for result in made] == (["succeeded"] if deploy else [])
    assert machine.store.config.get(COPY) == {"TOKEN": "1"}
    assert machine.store.apps.get(COPY).formation == {WEB: 2}
    assert [item.disk for item in machine.store.disks.of(COPY)] == ["data"]
    assert machine.places(COPY) == (["web.1", "web.2"] if deploy else [])
    copied = machine.store.releases.current(COPY)
    assert (copied.slug if copied else None) == (live.slug if deploy else None)


def test_a_copy_whose_release_fails_stays_with_it(machine: Machine, asker: Asker) -> None:
    machine.live()
    machine.scheduler.broken_apps.add(COPY)
    app = machine.store.apps.get(SHOP)
    made = machine.context.flow.clones.clone(app, COPY, asker, deploy=True)
    assert [result.outcome for result in made] == ["failed"]
    assert machine.store.releases.latest(COPY) is not None
