"""A release is tried on copies: what is tried, with which config, and what keeps it from that."""

import threading

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import AppName
from pushdeploy.output import Quiet
from tests.unit.commands.machine import ADA, SHOP, WORKER, Client, Machine, slug_of

STAGING = AppName("shop-staging")


def test_a_command_that_fails_keeps_the_web_process_from_being_tried(migrating: Machine) -> None:
    migrating.scheduler.exit_code = 3
    answer = migrating.type("releases:rehearse shop --format json")
    report = answer.json
    assert (answer.status, report["went_well"]) == (1, False)
    assert (report["command"]["exit_code"], report["web"]["outcome"]) == (3, "skipped")
    assert report["expected_hold"] is None
    assert "it ended with exit code 3" in answer.errors


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
