"""The cut-over of an app whose disk has one writer: never two versions at once."""

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.release import Candidate, Reason
from pushdeploy.output import Quiet
from tests.unit.commands.machine import ADA, SHOP, Machine
from tests.unit.flow.one_writer import scheduler_of


def refuse() -> None:
    raise PushdeployError("not switched: staging failed")


def test_a_new_version_that_is_not_switched_to_ends_before_the_old_one_begins(
    one_writer: Machine,
) -> None:
    live = one_writer.store.releases.current(SHOP)
    assert live is not None
    one_writer.store.apps.set_stopped(SHOP, True)
    one_writer.context.flow.converger.converge(SHOP, Quiet())
    one_writer.store.apps.set_stopped(SHOP, False)
    candidate = Candidate(
        SHOP, live.slug, {}, one_writer.store.disks.of(SHOP), Reason.PROMOTE, "Promotion", ADA
    )
    with pytest.raises(PushdeployError, match="staging failed"):
        one_writer.context.flow.deployer.shipper.ship(
            candidate, Asker(ADA, Quiet(), Cancellation()), before_switch=refuse
        )
    assert scheduler_of(one_writer).mixed == []
    assert {task.version for task in one_writer.scheduler.tasks(SHOP)} == {1}
    assert one_writer.places() == ["web.1"]


def test_what_cannot_be_held_goes_on_serving_regression(one_writer: Machine) -> None:
    before = one_writer.router.table[SHOP].targets
    answer = one_writer.type("ps:restart shop")
    assert answer.status == 69
    assert "nothing can hold the requests of shop" in answer.errors
    assert one_writer.router.table[SHOP].targets == before
    assert one_writer.places() == ["web.1"]
    assert one_writer.context.locks.traffic.waiting_since(SHOP) is None
