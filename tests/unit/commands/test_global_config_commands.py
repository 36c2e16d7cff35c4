"""config --global: a layer below every app's own vars, and one release for each that sees it."""

import pytest

from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import ReleaseStatus
from tests.unit.commands.machine import SHOP, Machine

BLOG = AppName("blog")


@pytest.fixture
def both(machine: Machine) -> Machine:
    machine.live(SHOP)
    machine.live(BLOG)
    return machine


def seen(machine: Machine, app: AppName = SHOP) -> dict[str, str]:
    """What the processes of the live release are given of A, B and C."""
    live = machine.store.releases.current(app)
    assert live
    manifest = machine.context.back_ends.manifests.of(machine.store.apps.get(app), live)
    return {key: value for key, value in manifest.environment.items() if key in {"A", "B", "C"}}


def test_every_app_that_sees_a_change_is_released(both: Machine) -> None:
    both.type("config:set blog A=own --no-restart")
    both.type("config:set blog B=own")
    answer = both.type("config:set --global A=1 C=3")
    assert (answer.status, answer.errors.count("Error")) == (0, 0)
    assert seen(both, SHOP) == {"A": "1", "C": "3"}
    assert seen(both, BLOG) == {"A": "own", "B": "own", "C": "3"}
    latest = both.store.releases.latest(SHOP)
    assert latest
    assert (latest.version, latest.description, latest.config) == (2, "Set A, C", {})
    assert both.store.config.get(SHOP) == {}


def test_global_wins_over_the_app_that_a_client_sends_of_itself(both: Machine) -> None:
    assert both.type("--app shop config:set --global A=1").status == 0
    assert both.store.config.shared() == {"A": "1"}
    assert both.store.config.get(SHOP) == {}


def test_an_app_whose_own_var_hides_it_is_left_alone(both: Machine) -> None:
    both.type("config:set blog A=own")
    both.type("config:set --global A=1")
    latest = both.store.releases.latest(BLOG)
    assert latest
    assert latest.version == 2
    assert both.type("config:unset blog A").status == 0
    assert seen(both, BLOG) == {"A": "1"}


def test_a_global_change_may_wait_for_the_next_releases(both: Machine) -> None:
    answer = both.type("config:set --global A=1 --no-restart")
    assert "staged for the next release of blog, shop: A" in answer.out
    assert seen(both) == {}
    assert "staged, not live yet: A (set)" in both.type("config shop").out
    assert both.type("apps:info shop --format json").json["config_staged"] == ["A"]
    both.type("config:set shop B=2")
    assert seen(both) == {"A": "1", "B": "2"}
    assert both.type("config:set --global A=1").status == 0, "for those that still wait"
    assert seen(both, BLOG) == {"A": "1"}


def test_an_app_whose_release_fails_keeps_what_it_had(both: Machine) -> None:
    both.scheduler.broken_apps = {BLOG}
    answer = both.type("config:set --global A=1")
    assert answer.status == 1
    assert "but not for blog" in answer.errors
    assert (seen(both, SHOP), seen(both, BLOG)) == ({"A": "1"}, {})
    failed = both.store.releases.latest(BLOG)
    assert failed
    assert failed.status is ReleaseStatus.FAILED
    both.scheduler.broken_apps = set()
    assert both.type("releases:retry blog").status == 0
    assert seen(both, BLOG) == {"A": "1"}


def test_a_rollback_brings_back_what_all_apps_shared_then(both: Machine) -> None:
    both.type("config:set --global A=1")
    both.type("config:set --global A=2")
    assert both.type("releases:rollback shop v2").status == 0
    assert (seen(both, SHOP), seen(both, BLOG)) == ({"A": "1"}, {"A": "2"})
    assert "staged, not live yet: A (set)" in both.type("config shop").out


def test_both_layers_are_shown_and_told_apart(both: Machine) -> None:
    both.type("config:set --global A=1 B=2 --no-restart")
    both.type("config:set shop A=own --no-restart")
    shown = both.type("config:show shop").out
    assert "A:  own\nB:  2  (of all apps)\n" in shown
    assert both.type("config:show shop --format json").json == {"A": "own"}
    assert both.type("config:show shop --merged --format json").json == {"A": "own", "B": "2"}
    assert both.type("config:keys shop --merged").out == "A\nB\n"
    assert both.type("config:export --global --format env").out == 'A="1"\nB="2"\n'
    assert both.type("config:get shop B").out == "2\n"
    assert both.type("config:get shop A").out == "own\n"
    assert both.type("config:get --global A").out == "1\n"
    assert both.type("config --global").out == "A:  1\nB:  2\n"
    assert both.type("config:get --global NOT_THERE").status == 1


def test_the_shared_layer_is_imported_and_cleared_too(machine: Machine) -> None:
    assert machine.type("config:import --global", b"A=1\nB=2\n").status == 0
    assert machine.type("config:unset --global A --force").status == 0
    assert machine.store.config.shared() == {"B": "2"}
    assert machine.type("config:clear --global").status == 0
    assert machine.store.config.shared() == {}


@pytest.mark.parametrize("words", ["", "A", "APP=1", "A-B=1", "shop A=1", "-a shop A=1"])
def test_a_global_change_that_is_not_clear_changes_nothing(machine: Machine, words: str) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type(f"config:set --global {words}").status == 1
    assert machine.store.config.shared() == {}
    assert machine.store.config.get(SHOP) == {}


def test_the_live_commit_is_told_under_its_name_of_dokku(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type("config:get shop GIT_REV").status == 1
    live = machine.live()
    assert machine.type("config:get shop GIT_REV").out == f"{live.slug.commit}\n"
    manifest = machine.context.back_ends.manifests.of(machine.store.apps.get(SHOP), live)
    assert manifest.environment["GIT_REV"] == live.slug.commit
    machine.type("config:set shop GIT_REV=mine")
    assert machine.type("config:get shop GIT_REV").out == "mine\n"
