"""releases:rehearse and pipelines:promote --rehearse, with tasks in memory and real disks."""

from dataclasses import replace

from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.settings.disks import DiskSettings
from tests.unit.commands.machine import SHOP, WEB, Machine

DATA = DiskName("data")
STAGING = AppName("shop-staging")


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


def test_how_traffic_moves_is_no_question_of_a_rehearsal(machine: Machine) -> None:
    machine.live(STAGING)
    machine.store.apps.create(SHOP)
    machine.type("pipelines:create main shop-staging shop")
    for flags in ("--rehearse --one-by-one", "--rehearse --all-or-nothing", "--network"):
        answer = machine.type(f"pipelines:promote {flags}")
        assert answer.status == 1, flags
        assert "rehears" in answer.errors
