"""Config vars become a release, or wait for the next one."""

from pushdeploy.domain.release import Reason
from tests.unit.commands.machine import SHOP, WEB, Machine


def test_a_staged_change_is_released_by_the_next_release(machine: Machine) -> None:
    machine.live()
    answer = machine.type("config:set shop A=1 --no-restart")
    assert "staged for the next release of shop: A" in answer.out
    assert "v1 goes on without" in answer.out
    assert "staged, not live yet: A (set)" in machine.type("config:show shop").out
    assert machine.type("apps:info shop --format json").json["config_staged"] == ["A"]
    machine.type("config:set shop B=2")
    latest = machine.store.releases.latest(SHOP)
    assert latest
    assert (latest.version, latest.description) == (2, "Set A, B")
    assert latest.config == {"A": "1", "B": "2"}
    assert "staged" not in machine.type("config:show shop").out


def test_a_staged_var_that_is_set_again_is_released(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop A=1 --no-restart")
    machine.type("config:set shop A=1")
    live = machine.store.releases.current(SHOP)
    assert live
    assert live.config == {"A": "1"}


def test_a_var_that_is_live_so_already_releases_nothing_that_is_staged(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop A=1")
    machine.type("config:unset shop A --no-restart")
    assert "staged, not live yet: A (unset)" in machine.type("config:show shop").out
    assert "that of v2 again" in machine.type("config:set shop A=1").out
    assert len(machine.type("releases shop --format json").json) == 2


def test_a_failed_change_leaves_what_was_staged_before_staged(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop A=1 --no-restart")
    machine.scheduler.broken = {WEB}
    assert machine.type("config:set shop B=2").status == 1
    assert machine.store.config.get(SHOP) == {"A": "1"}
    live = machine.store.releases.current(SHOP)
    assert live
    assert (live.version, live.config) == (1, {})


def test_a_change_is_one_release_for_all_of_its_keys(machine: Machine) -> None:
    machine.live()
    assert machine.type("config:set shop B=2 A=1").status == 0
    release = machine.store.releases.latest(SHOP)
    assert release
    assert (release.version, release.reason) == (2, Reason.CONFIG)
    assert release.description == "Set A, B"
    assert machine.type("config:unset shop A NOT_THERE").status == 0
    assert machine.store.config.get(SHOP) == {"B": "2"}


def test_nothing_is_released_when_nothing_changes(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop A=1")
    answer = machine.type("config:set shop A=1")
    assert (answer.status, "nothing to change" in answer.out) == (0, True)
    latest = machine.store.releases.latest(SHOP)
    assert latest
    assert latest.version == 2


def test_a_change_whose_release_fails_says_so_and_keeps_the_config(machine: Machine) -> None:
    machine.live()
    machine.scheduler.broken = {WEB}
    answer = machine.type("config:set shop A=1")
    assert answer.status == 1
    assert "no module named shop" in answer.errors
    assert "v2 failed; v1" in answer.errors
    assert machine.store.config.get(SHOP) == {}


def test_vars_of_an_app_without_a_release_wait_for_it(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert "first release" in machine.type("config:set shop A=1").out


def test_clear_unsets_everything_with_one_release(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop A=1 B=2")
    assert machine.type("config:clear shop --force").status == 0
    release = machine.store.releases.latest(SHOP)
    assert release
    assert (release.version, release.description, release.config) == (3, "Unset A, B", {})
