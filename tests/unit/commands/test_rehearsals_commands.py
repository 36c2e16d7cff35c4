"""releases:rehearse and pipelines:promote --rehearse, with tasks in memory and real disks."""

import threading
from dataclasses import replace

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.settings.disks import DiskSettings
from pushdeploy.output import Quiet
from tests.unit.commands.machine import ADA, SHOP, WEB, WORKER, Client, Machine, slug_of

DATA = DiskName("data")
STAGING = AppName("shop-staging")


@pytest.fixture
def migrating(machine: Machine) -> Machine:
    """A live app with a file on its disk and a release command."""
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live(release_command="migrate")
    disk = machine.context.back_ends.disks.ensure(machine.store.apps.get(SHOP), DATA)
    (disk / "note").write_text("one")
    machine.scheduler.once.clear()
    return machine


def test_a_rehearsal_tells_what_it_found_and_makes_no_release(migrating: Machine) -> None:
    answer = migrating.type("releases:rehearse shop")
    assert answer.status == 0
    lines = answer.out.splitlines()
    assert "=====> The rehearsal of v2 of shop went well" in lines
    assert any("release command: exit code 0 in" in line for line in lines)
    assert "       web: healthy in 0.50s" in lines
    assert any("about" in line and "stop 0.25s" in line for line in lines)
    [once] = migrating.scheduler.once
    assert (once.name, once.manifest.version, once.command) == ("release.2", 2, "migrate")
    assert once.environment == {"RELEASE_PHASE": "1"}
    assert [release.version for release in migrating.store.releases.list(SHOP)] == [1]
    assert migrating.store.snapshots.list(SHOP) == []
    assert list((migrating.home / "rehearsals").iterdir()) == []


def test_a_command_that_fails_keeps_the_web_process_from_being_tried(migrating: Machine) -> None:
    migrating.scheduler.exit_code = 3
    answer = migrating.type("releases:rehearse shop --format json")
    report = answer.json
    assert (answer.status, report["went_well"]) == (1, False)
    assert (report["command"]["exit_code"], report["web"]["outcome"]) == (3, "skipped")
    assert report["expected_hold"] is None
    assert "it ended with exit code 3" in answer.errors


def test_a_web_process_that_does_not_boot_shows_its_last_words(migrating: Machine) -> None:
    migrating.scheduler.broken = {WEB}
    answer = migrating.type("releases:rehearse shop --format json")
    assert answer.status == 1
    assert answer.json["web"] == {
        "outcome": "failed",
        "boot_seconds": None,
        "stop_seconds": None,
        "error": "web.1 did not start",
        "log_tail": ["no module named shop"],
    }
    assert "no module named shop" in answer.errors


def test_an_app_without_a_disk_a_command_or_a_web_process_can_be_rehearsed(
    machine: Machine,
) -> None:
    machine.live(process_types={WORKER: "work"})
    report = machine.type("releases:rehearse shop --format json").json
    assert (report["command"], report["web"]["outcome"]) == (None, "none")
    assert (report["disks"], report["databases"]) == ([], [])
    assert report["expected_hold"] is None
    assert "hold" not in machine.type("releases:rehearse shop").out


def test_a_disk_that_is_left_out_of_snapshots_begins_empty(migrating: Machine) -> None:
    migrating.type("disks:set shop data snapshots=off")
    answer = migrating.type("releases:rehearse shop")
    assert "       data is not copied: it is empty here" in answer.out
    assert "(it began empty)" in answer.out


def test_data_that_outgrows_its_size_is_told(migrating: Machine) -> None:
    app = migrating.store.apps.get(SHOP)
    settings = replace(app.settings, disks=DiskSettings(disk_limits_bytes={"data": 1}))
    migrating.store.apps.set_settings(SHOP, settings)
    answer = migrating.type("releases:rehearse shop")
    assert answer.status == 1
    assert "more than its size of 1 B" in answer.out


def test_what_there_is_no_slug_of_is_refused(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert "no live release" in machine.type("releases:rehearse shop").errors
    assert machine.type("releases:rehearse shop --slug-of nobody").status == 20
    release = machine.live()
    machine.engine.remove_image(f"pushdeploy-{machine.engine.instance}/slug:{release.slug.key}")
    answer = machine.type("releases:rehearse shop")
    assert (answer.status, "has expired" in answer.errors) == (1, True)


def test_disks_that_wait_to_be_put_back_are_not_copied(migrating: Machine) -> None:
    taken = migrating.type("disks:snapshot shop --format json").json
    migrating.store.apps.set_put_back(SHOP, taken["id"])
    answer = migrating.type("releases:rehearse shop")
    assert (answer.status, "ps:start shop" in answer.errors) == (75, True)


def test_a_rehearsal_that_waits_for_a_deploy_can_be_cancelled(migrating: Machine) -> None:
    client = Client()
    somebody = Asker(ADA, Quiet(), Cancellation())
    with migrating.context.flow.turns.to_its_end(SHOP, "something", somebody):
        thread = threading.Thread(target=migrating.type_as, args=[client, "releases:rehearse shop"])
        thread.start()
        while b"waiting: something" not in client.out:
            thread.join(0.01)
        client.cancellation.cancel("Ctrl-C")
        thread.join(10)
    assert not thread.is_alive()
    assert b"cancelled" in client.errors


def test_a_promotion_is_rehearsed_with_the_config_of_its_target(machine: Machine) -> None:
    machine.live(STAGING, release_command="migrate")
    machine.store.apps.create(SHOP)
    machine.type("config:set shop COLOUR=green")
    machine.type("pipelines:create main shop-staging shop")
    machine.type("apps:lock shop")
    answer = machine.type("pipelines:promote shop-staging --rehearse --format json")
    [report] = answer.json["targets"]
    assert (answer.status, answer.json["went_well"], report["app"]) == (0, True, "shop")
    assert (report["slug_of"], report["release"]) == ("shop-staging", "v1")
    assert report["slug"] == slug_of().image
    assert machine.store.releases.list(SHOP) == []


def test_how_traffic_moves_is_no_question_of_a_rehearsal(machine: Machine) -> None:
    machine.live(STAGING)
    machine.store.apps.create(SHOP)
    machine.type("pipelines:create main shop-staging shop")
    for flags in ("--rehearse --one-by-one", "--rehearse --all-or-nothing", "--network"):
        answer = machine.type(f"pipelines:promote {flags}")
        assert answer.status == 1, flags
        assert "rehears" in answer.errors


def test_one_target_that_cannot_be_rehearsed_keeps_no_other(machine: Machine) -> None:
    machine.live(STAGING)
    for app in (SHOP, AppName("shop-eu")):
        machine.store.apps.create(app)
    machine.type("pipelines:create main shop-staging shop shop-eu")
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    (machine.home / "disks").mkdir()
    (machine.home / "disks" / "shop").write_text("no directory")
    answer = machine.type("pipelines:promote --rehearse")
    assert answer.status == 1
    assert "=====> shop: not rehearsed: the disk" in answer.out
    assert "The rehearsal of v1 of shop-eu went well" in answer.out
