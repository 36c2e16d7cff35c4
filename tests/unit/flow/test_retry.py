"""What failed is tried again with its slug, and with what was to be changed."""

from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.release import Candidate, Reason, ReleaseStatus
from tests.unit.commands.machine import ADA, SHOP, WEB, Machine, slug_of
from tests.unit.commands.versions import NEW, OLD

STORE = AppName("store")


def running_slug(machine: Machine, app: AppName = SHOP) -> ImageDigest:
    live = machine.store.releases.current(app)
    assert live
    return live.slug.image


def test_retry_of_a_failed_rollback_tries_the_config_of_then_once_more(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.type("config:set shop A=old")
    machine.live(image=OLD, key="old")
    machine.type("config:set shop A=new")
    machine.scheduler.broken = {WEB}
    assert machine.type("releases:rollback shop v1").status == 1
    assert machine.type("releases:retry shop").status == 1
    machine.scheduler.broken = set()
    assert machine.type("releases:retry shop").status == 0
    newest = machine.type("releases shop --format json").json[0]
    assert (newest["version"], newest["reason"]) == (5, "retry")
    assert machine.store.config.get(SHOP) == {"A": "old"}


def test_retry_of_a_failed_promotion_has_the_config_that_is_wanted_now(machine: Machine) -> None:
    machine.live(SHOP, image=NEW, key="new")
    machine.live(STORE, image=OLD, key="old")
    failed = Candidate(STORE, slug_of(image=NEW, key="new"), {}, [], Reason.PROMOTE, "…", ADA)
    made = machine.store.releases.create(failed)
    machine.store.releases.set_status(STORE, made.version, ReleaseStatus.FAILED, "no luck")
    machine.type("config:set --no-restart store MISSING=1")
    assert machine.type("releases:retry store").status == 0
    newest = machine.type("releases store --format json").json[0]
    assert (newest["reason"], newest["description"]) == ("retry", "Retry of v2: …")
    assert running_slug(machine, STORE) == NEW
    assert machine.store.config.get(STORE) == {"MISSING": "1"}
    live = machine.store.releases.current(STORE)
    assert live
    assert live.ref is None


def test_a_retry_of_a_retried_config_change_still_has_the_change(machine: Machine) -> None:
    machine.live()
    machine.scheduler.broken = {WEB}
    machine.type("config:set shop A=1")
    machine.type("releases:retry shop")
    machine.scheduler.broken = set()
    assert machine.type("releases:retry shop").status == 0
    assert machine.store.config.get(SHOP) == {"A": "1"}
    latest = machine.store.releases.latest(SHOP)
    assert latest
    assert latest.description == "Retry of v3: Set A", "and not a retry of a retry of it"


def test_retry_releases_the_failed_slug_again(machine: Machine) -> None:
    machine.live()
    machine.scheduler.broken = {WEB}
    machine.type("config:set shop A=1")
    machine.scheduler.broken = set()
    assert machine.type("releases:retry shop").status == 0
    assert machine.store.config.get(SHOP) == {"A": "1"}
    assert machine.type("releases:retry shop").status == 1
