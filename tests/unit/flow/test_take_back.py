"""Targets of a promotion that came to nothing get back what they had before."""

from collections.abc import Iterator
from contextlib import contextmanager

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName
from pushdeploy.locks.apps import Purpose
from pushdeploy.output import Quiet
from tests.unit.commands.machine import SHOP, Machine, slug_of
from tests.unit.commands.stages import EU, NEW, outcomes


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
