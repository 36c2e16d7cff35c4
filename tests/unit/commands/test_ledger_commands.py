"""Rollback, retry, staged config, locks and retention, as they are typed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.container import ImageInfo
from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.promotion import Mode
from pushdeploy.domain.release import Candidate, Reason, ReleaseStatus
from pushdeploy.flow.promote import Promotion
from pushdeploy.output import Quiet
from tests.fakes import FakeEngine
from tests.unit.commands.machine import ADA, SHOP, WEB, Client, Machine, slug_of

OLD = ImageDigest("sha256:" + "1" * 64)
NEW = ImageDigest("sha256:" + "2" * 64)
STORE = AppName("store")


def two_versions(machine: Machine) -> None:
    machine.live(image=OLD, key="old")
    machine.live(image=NEW, key="new")


def running_slug(machine: Machine, app: AppName = SHOP) -> ImageDigest:
    live = machine.store.releases.current(app)
    assert live
    return live.slug.image


# ------------------------------------------------------------- rollback


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


# ------------------------------------------------------------- retry


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


# ------------------------------------------------------------- staged config


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


def test_reserved_names_cannot_be_staged_either(machine: Machine) -> None:
    machine.live()
    assert machine.type("config:set shop STAGE=x --no-restart").status == 1
    assert machine.store.config.get(SHOP) == {}


# ------------------------------------------------------------- locks


@pytest.mark.parametrize("line", ["ps:rebuild shop", "releases:retry shop"])
def test_a_locked_app_refuses_new_code_and_says_who_when_and_why(
    machine: Machine, line: str
) -> None:
    machine.live()
    machine.type("apps:lock shop 'no deploys before the fair'")
    answer = machine.type(line)
    assert answer.status == 75
    assert "shop was locked by ada at 20" in answer.errors
    assert "UTC: no deploys before the fair" in answer.errors
    assert "apps:unlock shop" in answer.errors
    machine.type("apps:unlock shop")
    assert "locked" not in machine.type(line).errors


def test_a_promotion_into_a_locked_app_is_refused(machine: Machine) -> None:
    machine.live(SHOP)
    machine.live(STORE)
    machine.type("apps:lock store")
    client = Client()
    asker = Asker(ADA, Quiet(), client.cancellation)
    promotion = Promotion(SHOP, [STORE], None, Mode.INDEPENDENT, force=True)
    with pytest.raises(Exception, match="store was locked by ada"):
        machine.context.flow.promoter.promote(promotion, asker)


def test_a_locked_app_can_be_configured_scaled_restarted_and_rolled_back(
    machine: Machine,
) -> None:
    two_versions(machine)
    machine.type("apps:lock shop")
    for line in (
        "config:set shop A=1",
        "ps:scale shop web=2",
        "ps:restart shop",
        "releases:rollback shop v1",
    ):
        assert machine.type(line).status == 0, line


def test_the_lock_is_shown_with_its_message_on_one_line(machine: Machine) -> None:
    machine.live()
    machine.type("apps:lock shop 'the\n\x1b\x07fair' is on")
    (row,) = machine.type("apps:list --format json").json
    assert (row["locked_by"], row["lock_message"]) == ("ada", "the fair is on")
    assert row["locked_at"].endswith("+00:00")
    assert "the fair is on" in machine.type("apps:info shop").out
    assert "ada" in machine.type("apps:list", terminal="xterm").out


def test_unlocking_what_is_not_locked_is_fine(machine: Machine) -> None:
    machine.live()
    answer = machine.type("apps:unlock shop")
    assert (answer.status, answer.out) == (0, "shop is not locked\n")
    assert machine.type("--app shop apps:unlock").status == 0


# ------------------------------------------------------------- retention


def test_gc_shows_what_would_go_and_then_removes_it(machine: Machine) -> None:
    two_versions(machine)
    machine.have(slug_of(image=ImageDigest("sha256:" + "3" * 64), key="stray"))
    plan = machine.type("releases:gc --plan --format json").json
    assert {(row["image"][7], row["verdict"]) for row in plan} == {
        ("1", "stays"),
        ("2", "stays"),
        ("3", "goes"),
    }
    assert "1 would go, 2 stay" in machine.type("releases:gc --plan").out
    answer = machine.type("releases:gc")
    assert "no release has it" in answer.out
    assert "1 removed, 2 stay" in answer.out
    assert "0 removed, 2 stay" in machine.type("releases:gc").out


class Counted(FakeEngine):
    """Counts how often it is asked for its images."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def images(self, labels: Mapping[str, str]) -> Sequence[ImageInfo]:
        self.asked += 1
        return super().images(labels)


def test_gc_collects_slugs_once(tmp_path: Path) -> None:
    engine = Counted()
    machine = Machine(tmp_path, engine=engine)
    assert machine.type("releases:gc").status == 0
    assert engine.asked == 1


def test_an_expired_release_is_shown_as_such_and_cannot_be_retried(machine: Machine) -> None:
    machine.live(image=OLD, key="old")
    machine.live(image=NEW, key="new")
    failed = Candidate(SHOP, slug_of(image=OLD, key="old"), {}, [], Reason.DEPLOY, "Deploy", ADA)
    made = machine.store.releases.create(failed)
    machine.store.releases.fail(SHOP, made.version, "no luck")
    machine.engine.remove_image(f"pushdeploy-{machine.engine.instance}/slug:old")
    rows = machine.type("releases shop --format json").json
    assert [(row["status"], row["expired"]) for row in rows] == [
        ("failed", True),
        ("live", False),
        ("retired", True),
    ]
    assert machine.type("releases shop").out.count("expired") == 2
    assert "not kept any longer" in machine.type("releases:output shop v1").errors
    assert "v3 has expired" in machine.type("releases:retry shop").errors
