"""pipelines:info, :diff and :verify: what differs, and proof."""

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import AppName, CommitId, ProcessType
from pushdeploy.domain.task import Specimen
from pushdeploy.locks.apps import Purpose
from pushdeploy.output import Quiet
from tests.unit.commands.machine import SHOP, WEB, Machine
from tests.unit.commands.stages import EU, NEW, STAGING


def test_info_tells_what_is_live_and_who_is_ahead(two: Machine, history: list[CommitId]) -> None:
    answer = two.type("pipelines:info")
    assert answer.out.splitlines() == [
        "main: staging (shop-staging) → production (shop)",
        f"staging     shop-staging  v1       {history[2][:7]}  -",
        f"production  shop          v1       {history[0][:7]}  2 behind shop-staging",
    ]
    assert answer.errors == "stage       app           release  commit   state\n"
    shop = two.type("pipelines:info main --format json").json["apps"][1]
    assert (shop["upstream"], shop["ahead"], shop["behind"], shop["same_slug"]) == (
        "shop-staging",
        0,
        2,
        False,
    )
    two.type("pipelines:promote")
    assert "runs the slug of shop-staging" in two.type("pipelines:info").out


def test_diff_tells_everything_that_a_promotion_changes_and_no_value(
    two: Machine, history: list[CommitId]
) -> None:
    two.store.config.replace(SHOP, {"SAME": "s3cret", "OTHER": "s3cret1", "MINE": "s3cret"})
    two.store.config.replace(STAGING, {"SAME": "s3cret", "OTHER": "s3cret2", "DEBUG": "s3cret"})
    two.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    two.live(
        STAGING,
        commit=history[2],
        key="newer",
        image=NEW,
        release_command="migrate",
        process_types={WEB: "serve2", ProcessType("clock"): "tick"},
        size_bytes=3 * 1024 * 1024,
    )

    out = two.type("pipelines:diff").out

    assert f"=====> shop-staging v2 {history[2][:7]} → shop v1 {history[0][:7]}: 2 ahead" in out
    assert "commits only in shop-staging:" in out
    assert "Add another page" in out
    assert "Begin" not in out
    assert "  only in shop-staging: DEBUG" in out
    assert "  only in shop: MINE" in out
    assert "  different values: OTHER" in out
    assert "SAME" not in out
    assert "release command: migrate" in out
    assert "slug: 3.0 MB, now 1000 B" in out
    assert "shop: /data" in out
    as_json = two.type("pipelines:diff --format json")
    (found,) = as_json.json
    assert [commit["subject"] for commit in found["ahead"]] == ["Add another page", "Add a page"]
    assert found["release_command"] == "migrate"
    assert [each["name"] for each in found["processes"]] == ["clock", "release", "web", "worker"]
    assert "s3cret" not in out + as_json.out


def test_diff_of_the_last_stage_looks_back_and_says_what_is_the_same(two: Machine) -> None:
    two.type("pipelines:promote")
    for app in ("shop", "shop-staging"):
        assert two.type(f"pipelines:diff {app}").out.endswith(": up to date\n")
    two.store.config.replace(SHOP, {"A": "1"})
    assert "v2" in two.type("pipelines:diff").out
    assert ": the same slug\n       config:\n         only in shop: A" in (
        two.type("pipelines:diff").out
    )


def test_diff_of_the_last_stage_leaves_out_who_has_nothing_live_regression(two: Machine) -> None:
    two.store.apps.create(AppName("other-staging"))
    two.type("pipelines:add main other-staging")
    answer = two.type("pipelines:diff shop")
    assert answer.status == 0, answer.errors
    assert answer.out.count("=====>") == 1
    assert "shop-staging v1" in answer.out


def test_diff_tells_a_hotfix_that_only_the_target_has(
    two: Machine, history: list[CommitId]
) -> None:
    two.live(STAGING, commit=history[0], key="old")
    two.live(SHOP, commit=history[2], key="new", image=NEW)
    two.refs.share(STAGING, SHOP, history[2])
    out = two.type("pipelines:diff shop-staging").out
    assert ": 2 behind" in out.splitlines()[0]
    assert "commits only in shop:" in out
    assert "commits only in shop-staging" not in out
    (found,) = two.type("pipelines:diff shop-staging --format json").json
    assert [len(found[side]) for side in ("ahead", "behind")] == [0, 2]


def test_diff_with_an_app_that_has_nothing_live_shows_its_whole_history(two: Machine) -> None:
    two.store.apps.create(EU)
    two.type("pipelines:add main shop-eu --stage eu")
    two.type("pipelines:update main --stages staging,eu,production")
    out = two.type("pipelines:diff shop-staging").out
    assert "shop-eu -: nothing is live there yet" in out
    assert "Begin" in out


def test_verify_is_content_when_everything_runs_as_the_ledger_says(two: Machine) -> None:
    two.type("pipelines:promote")
    answer = two.type("pipelines:verify")
    assert answer.status == 0, answer.errors
    assert [line.split()[:4] for line in answer.out.splitlines()] == [
        ["staging", "shop-staging", "v1", "6" * 12],
        ["production", "shop", "v2", "6" * 12],
    ]
    assert two.type("pipelines:verify --format json").json["verified"]


def test_verify_names_a_container_that_runs_what_the_ledger_does_not_say(two: Machine) -> None:
    two.scheduler.strangers = [
        Specimen(SHOP, "c9" * 6, "by-hand", "sha256:" + "9" * 64, "web.1", 1, True)
    ]
    answer = two.type("pipelines:verify")
    assert answer.status == 1
    assert "shop: container by-hand (c9c9c9c9c9c9) calls itself web.1 of v1" in answer.errors
    assert "differs" in answer.out
    found = two.type("pipelines:verify --format json")
    assert (found.status, found.json["verified"]) == (1, False)


def test_verify_does_not_mistake_a_deploy_that_goes_on_for_trouble_regression(
    two: Machine,
) -> None:
    old = two.scheduler.tasks(SHOP)
    two.type("pipelines:promote")
    two.scheduler.running += old  # that takes its time to stop
    assert two.type("pipelines:verify").status == 1
    with two.context.locks.apps.hold(SHOP, Purpose("promotion", "bob"), Quiet(), Cancellation()):
        answer = two.type("pipelines:verify")
    assert answer.status == 0, answer.errors
    assert answer.out.splitlines()[1].endswith("being changed")


def test_verify_is_not_misled_by_a_new_app_with_an_old_name_regression(two: Machine) -> None:
    two.type("pipelines:promote")
    two.type("pipelines:remove shop-staging")
    two.store.apps.destroy(STAGING)
    two.live(STAGING, commit=CommitId("b" * 40), key="another")
    assert two.type("pipelines:verify").status == 0


def test_verify_tells_when_a_commit_was_built_twice(two: Machine, history: list[CommitId]) -> None:
    two.live(SHOP, commit=history[2], key="again")
    answer = two.type("pipelines:verify")
    assert answer.status == 1
    assert f"{history[2][:7]} is 666666666666 in shop-staging and 555555555555 in shop" in (
        answer.errors
    )


def test_verify_tells_when_nothing_of_a_live_app_runs(two: Machine) -> None:
    two.scheduler.running = [task for task in two.scheduler.running if task.app != SHOP]
    answer = two.type("pipelines:verify")
    assert answer.status == 1
    assert "shop: web.1 of v1 does not run" in answer.errors
    two.store.apps.set_stopped(SHOP, True)
    assert two.type("pipelines:verify").status == 0
