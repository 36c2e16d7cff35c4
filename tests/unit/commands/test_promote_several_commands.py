"""pipelines:promote to several apps: side by side, one by one, all or nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName
from pushdeploy.locks.apps import Purpose
from pushdeploy.output import Quiet
from tests.unit.commands.machine import SHOP, Machine, slug_of
from tests.unit.commands.stages import EU, NEW, Listener


def outcomes(machine: Machine, flags: str) -> list[tuple[str, str, int | None]]:
    answer = machine.type(f"pipelines:promote shop-staging {flags} --format json")
    assert answer.status == (0 if answer.json["succeeded"] else 1)
    return [(row["app"], row["outcome"], row["version"]) for row in answer.json["targets"]]


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


def test_trouble_of_several_targets_is_on_stderr_and_names_the_target(three: Machine) -> None:
    three.scheduler.broken_apps = {SHOP}
    answer = three.type("pipelines:promote")
    assert "[shop]     !     web.1 did not start" in answer.errors
    assert "[shop]     !         no module named shop" in answer.errors
    assert " !  " not in answer.out
    assert "[shop-eu] =====> shop-eu v2 is live" in answer.out


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


def test_target_whose_switch_fails_at_last_takes_the_done_ones_back(three: Machine) -> None:
    three.router.refused = {"shop-eu.apps.test"}
    found = {app: outcome for app, outcome, _ in outcomes(three, "--all-or-nothing")}
    assert found == {"shop": "rolled back", "shop-eu": "failed"}
    for app in (SHOP, EU):
        live = three.store.releases.current(app)
        assert live is not None
        assert live.slug.image == slug_of().image


def test_target_that_is_taken_back_has_staged_what_was_staged_regression(three: Machine) -> None:
    three.type("config:set shop A=staged --no-restart")
    three.router.refused = {"shop-eu.apps.test"}
    outcomes(three, "--all-or-nothing")
    live = three.store.releases.current(SHOP)
    assert live is not None
    assert (live.version, live.config) == (3, {})
    assert three.store.config.get(SHOP) == {"A": "staged"}


def test_target_that_had_nothing_before_keeps_what_it_got_and_says_so(three: Machine) -> None:
    first = AppName("another")
    three.store.apps.create(first)
    three.type("pipelines:add main another")
    three.router.refused = {"shop-eu.apps.test"}
    answer = three.type("pipelines:promote shop-staging --to another,shop-eu --all-or-nothing")
    assert answer.status == 1
    assert "another  succeeded  v1       it had no release before: the new one stays" in answer.out
    assert three.store.releases.current(first) is not None


def test_waits_of_all_or_nothing_name_the_target(three: Machine) -> None:
    client = Listener(b"[shop-eu]        waiting: deploy of abc1234 by bob since ")
    purpose = Purpose("deploy of abc1234", "bob")
    with three.context.locks.apps.hold(EU, purpose, Quiet(), Cancellation()):
        line = "pipelines:promote --all-or-nothing"
        promotion = Thread(target=three.type_as, args=[client, line], daemon=True)
        promotion.start()
        assert client.told.wait(20), client.out.decode()
        client.cancellation.cancel("Ctrl-C")
        promotion.join(20)
    assert b"cancelled: Ctrl-C" in client.errors
    assert [len(three.store.releases.list(app)) for app in (SHOP, EU)] == [1, 1]


def cut_short(machine: Machine, targets: str) -> None:
    """An all-or-nothing promotion to both, killed when only ``targets`` were live; then a start."""
    take_back = machine.context.flow.promoter.take_back
    noted = take_back.noted({app: take_back.former(app) for app in (SHOP, EU)})
    with noted, monitored(machine) as journal:
        assert machine.type(f"pipelines:promote shop-staging --to {targets}").status == 0
    for name, text in journal.items():
        machine.store.meta.set(name, text)
    take_back.recover()
    with machine.context.locks.apps.hold(SHOP, Purpose("look", "ada"), Quiet(), Cancellation()):
        assert machine.store.meta.starting_with("all-or-nothing") == {}


@contextmanager
def monitored(machine: Machine) -> Iterator[dict[str, str]]:
    """What the journal held inside."""
    journal: dict[str, str] = {}
    yield journal
    journal |= machine.store.meta.starting_with("all-or-nothing")
    assert journal


def test_all_or_nothing_that_was_cut_short_is_taken_back_at_the_next_start_regression(
    three: Machine,
) -> None:
    three.type("config:set shop COLOUR=red --no-restart")
    cut_short(three, "shop")
    live = three.store.releases.current(SHOP)
    assert live is not None
    assert (live.version, live.slug.image, live.config) == (3, slug_of().image, {})
    assert live.description == "Rollback to v1: another target failed"
    assert three.store.config.get(SHOP) == {"COLOUR": "red"}
    assert [release.version for release in three.store.releases.list(EU)] == [1]


def test_all_or_nothing_that_came_to_its_end_before_the_kill_stays(three: Machine) -> None:
    cut_short(three, "shop,shop-eu")
    for app in (SHOP, EU):
        live = three.store.releases.current(app)
        assert live is not None
        assert (live.version, live.slug.image) == (2, NEW)


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
