"""What is said while a release is made is kept with it, and why it failed."""

import pytest

from pushdeploy.domain.errors import BootFailed, PushdeployError
from pushdeploy.domain.release import Candidate, Reason, Release, ReleaseStatus
from pushdeploy.flow.building import Preparation
from pushdeploy.flow.records import Records
from pushdeploy.output import Quiet
from tests.unit.commands.machine import ADA, SHOP, Machine, slug_of


@pytest.fixture
def tried(machine: Machine) -> Release:
    """A second release, which is not live yet."""
    machine.live()
    return machine.store.releases.create(
        Candidate(SHOP, slug_of(), {}, [], Reason.CONFIG, "Set A", ADA)
    )


def kept(machine: Machine) -> list[str]:
    return machine.type("releases:output shop v2").out.splitlines()


def test_lines_of_the_build_stand_before_those_of_the_release(
    machine: Machine, tried: Release
) -> None:
    made = Preparation(["built"], [("Building", 1.5)])
    with Records(machine.store).of(tried, Quiet(), made) as output:
        output.detail("released")
    machine.store.releases.make_live(SHOP, 2)
    assert [line.strip() for line in kept(machine)] == ["built", "released"]
    info = machine.type("releases:info shop v2 --format json").json
    assert [step["name"] for step in info["steps"]] == ["Building"]


def test_an_error_marks_the_release_failed_and_tells_what_serves(
    machine: Machine, tried: Release
) -> None:
    with (
        pytest.raises(BootFailed) as failed,
        Records(machine.store).of(tried, Quiet(), Preparation()),
    ):
        raise BootFailed("web.1 did not start")
    found = machine.store.releases.get(SHOP, 2)
    assert (found.status, found.error) == (ReleaseStatus.FAILED, "web.1 did not start")
    assert "v2 failed; v1" in failed.value.serving
    assert "goes on serving; config and disks are as in v1" in failed.value.serving
    assert f" !     {failed.value.serving}" in kept(machine)


def test_a_defect_is_told_as_such(machine: Machine, tried: Release) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        Records(machine.store).of(tried, Quiet(), Preparation()),
    ):
        raise ZeroDivisionError
    assert machine.store.releases.get(SHOP, 2).error == "internal error"


def test_trouble_after_a_release_went_live_is_no_failure_of_it(
    machine: Machine, tried: Release
) -> None:
    machine.store.releases.make_live(SHOP, 2)
    with (
        pytest.raises(PushdeployError),
        Records(machine.store).of(tried, Quiet(), Preparation()),
    ):
        raise PushdeployError("too late")
    assert machine.store.releases.get(SHOP, 2).status is ReleaseStatus.LIVE
