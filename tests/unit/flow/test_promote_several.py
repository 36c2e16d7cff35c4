"""Targets of a promotion are released side by side, one by one, or all or none."""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.locks.apps import Purpose
from pushdeploy.output import Quiet
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.commands.stages import EU, Listener, outcomes


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", [("shop", "failed", 2), ("shop-eu", "succeeded", 2)]),
        ("--one-by-one", [("shop", "failed", 2), ("shop-eu", "skipped", None)]),
        ("--one-by-one --to shop-eu,shop", [("shop-eu", "succeeded", 2), ("shop", "failed", 2)]),
        ("--all-or-nothing", [("shop", "failed", 2), ("shop-eu", "failed", 2)]),
    ],
)
def test_failing_target_does_to_the_others_what_the_flag_says(
    three: Machine, flags: str, expected: list[tuple[str, str, int | None]]
) -> None:
    three.scheduler.broken_apps = {SHOP}
    assert outcomes(three, flags) == expected


def test_ctrl_c_ends_the_wait_for_one_target_when_another_is_live_already_regression(
    three: Machine,
) -> None:
    client = Listener(b"shop v2 is live", b"waiting: deploy of")
    purpose = Purpose("deploy of abc1234", "bob")
    with three.context.locks.apps.hold(EU, purpose, Quiet(), Cancellation()):
        promotion = Thread(target=three.type_as, args=[client, "pipelines:promote"], daemon=True)
        promotion.start()
        assert client.told.wait(20), client.out.decode()
        assert client.cancellation.cancel("Ctrl-C")
        promotion.join(20)
        assert not promotion.is_alive()
    rows = [line.split()[:3] for line in client.out.decode().splitlines()[-2:]]
    assert rows == [["shop", "succeeded", "v2"], ["shop-eu", "failed", "-"]]
    assert b"[shop-eu]  !     cancelled: Ctrl-C" in client.errors


@pytest.mark.parametrize("flags", ["", "--all-or-nothing"])
def test_source_that_is_destroyed_while_its_promotion_waits_is_not_released_regression(
    two: Machine, flags: str
) -> None:
    client, deploy = Listener(b"waiting: deploy"), Purpose("deploy of 4a4bd4d", "bob")
    line = f"pipelines:promote shop-staging {flags}"
    with ThreadPoolExecutor(1) as pool:
        with two.context.locks.apps.hold(SHOP, deploy, Quiet(), Cancellation()):
            promotion = pool.submit(two.type_as, client, line)
            assert client.told.wait(20)
            assert two.type("apps:destroy shop-staging --force").status == 0
        answer = promotion.result(20)
    assert answer.status == 1
    assert "there is no release v1 of shop-staging" in answer.errors
    assert [release.version for release in two.store.releases.list(SHOP)] == [1]


def test_defect_in_one_target_does_not_keep_the_others_waiting_regression(three: Machine) -> None:
    three.scheduler.defects = {SHOP}
    with pytest.raises(ZeroDivisionError):
        three.type("pipelines:promote --all-or-nothing")
    live = three.store.releases.current(EU)
    assert live is not None
    assert live.version == 1


def test_commit_that_cannot_be_shared_does_not_make_a_live_target_a_failed_one_regression(
    two: Machine,
) -> None:
    (two.refs.path(SHOP) / "objects").rename(two.refs.path(SHOP) / "aside")
    answer = two.type("pipelines:promote --force")
    assert answer.status == 0, answer.errors
    assert "is not in the repository of shop" in answer.errors
