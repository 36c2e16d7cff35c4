"""A former release comes back: its slug and its config, and no data."""

from pushdeploy.domain.names import AppName, ImageDigest
from tests.unit.commands.machine import SHOP, WEB, Machine, refused
from tests.unit.commands.versions import NEW, OLD, two_versions
from tests.unit.flow.orders import orders


def running_slug(machine: Machine, app: AppName = SHOP) -> ImageDigest:
    live = machine.store.releases.current(app)
    assert live
    return live.slug.image


def test_rollback_goes_to_the_last_that_differs_and_says_how_to_undo_it(machine: Machine) -> None:
    two_versions(machine)
    answer = machine.type("releases:rollback shop")
    assert answer.status == 0
    assert "Release v3 of shop: Rollback to v1" in answer.out
    assert "disks and databases were not touched" in answer.out
    assert "releases:rollback shop v2 undoes it" in answer.out
    assert running_slug(machine) == OLD
    assert machine.type("rollback shop v2").status == 0
    assert running_slug(machine) == NEW
    assert [row["reason"] for row in machine.type("releases shop --format json").json] == [
        "rollback",
        "rollback",
        "deploy",
        "deploy",
    ]


def test_rollback_brings_the_config_of_then_and_drops_what_is_staged(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.type("config:set shop A=old")
    machine.live()
    machine.type("config:set shop A=new")
    machine.type("config:set --no-restart shop B=staged")
    answer = machine.type("releases:rollback shop v1")
    assert machine.store.config.get(SHOP) == {"A": "old"}
    assert "no longer staged: B" in answer.out


def test_the_release_command_of_a_rollback_can_be_left_out(machine: Machine) -> None:
    machine.live(image=OLD, key="old", release_command="migrate")
    machine.live(image=NEW, key="new")
    machine.type("releases:rollback shop --no-release-phase")
    assert machine.scheduler.once == []
    machine.type("releases:rollback shop v2")
    machine.type("releases:rollback shop v1")
    assert [once.command for once in machine.scheduler.once] == ["migrate"]


def test_what_never_was_live_what_is_and_what_is_gone_cannot_be_rolled_back_to(
    machine: Machine,
) -> None:
    two_versions(machine)
    machine.scheduler.broken = {WEB}
    machine.type("config:set shop A=1")
    machine.scheduler.broken = set()
    assert "v3 was never live: it is failed" in machine.type("rollback shop v3").errors
    assert "v2 runs already" in machine.type("rollback shop v2").errors
    assert "there is no release v9" in machine.type("rollback shop v9").errors
    machine.engine.remove_image(f"pushdeploy-{machine.engine.instance}/slug:old")
    assert "v1 has expired" in machine.type("rollback shop v1").errors
    assert running_slug(machine) == NEW


def test_rollback_without_a_former_release_says_so(machine: Machine) -> None:
    machine.live()
    assert "no former release" in machine.type("rollback shop").errors


def test_a_rollback_brings_the_disk_back_as_the_release_left_it(unsaved: Machine) -> None:
    unsaved.type("config:set shop A=1")
    orders(unsaved).write_text("two")

    asked = unsaved.type("releases:rollback shop v1 --with-disk")
    assert refused(asked, "cannot be undone", "releases:rollback shop v1 --with-disk --force")
    assert "since is lost" in asked.out
    assert orders(unsaved).read_text() == "two"
    answer = unsaved.type("releases:rollback shop v1 --with-disk --force")

    assert answer.status == 0, answer.errors
    assert orders(unsaved).read_text() == "one"
    assert "code, config and disks went back; the disks to s1" in answer.out
    assert "disks:restore shop s2 has what they held before" in answer.out


def test_a_rollback_without_a_snapshot_to_go_back_to_is_refused(unsaved: Machine) -> None:
    unsaved.type("disks:set shop data snapshots=off")
    unsaved.type("config:set shop A=1")
    answer = unsaved.type("releases:rollback shop v1 --with-disk --force")
    assert refused(answer, "no snapshot was taken when v1 was replaced", "disks:snapshots shop")


def test_a_rollback_alone_never_touches_the_disk(unsaved: Machine) -> None:
    unsaved.type("config:set shop A=1")
    orders(unsaved).write_text("two")
    assert unsaved.type("releases:rollback shop v1").status == 0
    assert orders(unsaved).read_text() == "two"
