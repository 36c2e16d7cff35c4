"""pipelines: making them, promoting along them, looking at what differs, and proof."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import AppName, CommitId, ImageDigest, ProcessType
from pushdeploy.domain.pipeline import PipelineName, StageName
from pushdeploy.domain.task import Specimen
from pushdeploy.locks import Purpose
from pushdeploy.output import Quiet
from tests.unit.commands.machine import SHOP, WEB, Client, Machine, slug_of

STAGING = AppName("shop-staging")
EU = AppName("shop-eu")
NEW = ImageDigest("sha256:" + "6" * 64)


@pytest.fixture
def history(machine: Machine, tmp_path: Path) -> list[CommitId]:
    """Three commits in the repository of the staging app, the first of them in production's too."""
    work = tmp_path / "work"
    work.mkdir()

    def git(*words: str) -> str:
        names = ["-c", "user.name=Ada", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", *names, *words], cwd=work, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    commits = []
    for subject in ("Begin", "Add a page", "Add another page"):
        git("commit", "-q", "--allow-empty", "-m", subject)
        commits.append(CommitId(git("rev-parse", "HEAD")))
    for app, commit in ((STAGING, commits[-1]), (SHOP, commits[0])):
        machine.refs.ensure(app)
        git("push", "-q", str(machine.refs.path(app)), f"{commit}:refs/heads/main")
    return commits


@pytest.fixture
def two(machine: Machine, history: list[CommitId]) -> Machine:
    """Staging is two commits ahead of production."""
    machine.live(SHOP, commit=history[0], key="old")
    machine.live(STAGING, commit=history[2], key="new", image=NEW, size_bytes=2048)
    assert machine.type("pipelines:create main shop-staging shop").status == 0
    return machine


# ------------------------------------------------------------- making them


def test_apps_stand_in_the_stages_that_their_names_tell(machine: Machine) -> None:
    for name in ("shop-dev", "shop-staging", "shop"):
        machine.store.apps.create(AppName(name))
    answer = machine.type("pipelines:create main shop-dev shop-staging shop")
    assert answer.status == 0
    assert answer.out == (
        "main: development (shop-dev) → staging (shop-staging) → production (shop)\n"
    )
    assert machine.type("pipelines --format json").json == [
        {
            "name": "main",
            "stages": ["development", "staging", "production"],
            "apps": ["shop-dev", "shop-staging", "shop"],
        }
    ]


def test_order_that_looks_like_a_mistake_is_told_with_what_to_type(machine: Machine) -> None:
    for name in (SHOP, STAGING):
        machine.store.apps.create(name)
    answer = machine.type("pipelines:create main shop shop-staging")
    assert answer.status == 0
    assert " !     pipelines:update main --stages staging,production" in answer.errors

    ordered = machine.type("pipelines:update main --stages staging,production")
    assert ordered.out == "main: staging (shop-staging) → production (shop)\n"
    assert ordered.errors == ""


def test_stages_may_have_any_name(machine: Machine) -> None:
    for name in (SHOP, EU):
        machine.store.apps.create(name)
    machine.type("pipelines:create main")
    assert machine.type("pipelines:add main shop-eu --stage canary").status == 0
    assert machine.type("pipelines:add main --app shop -s everybody").status == 0
    assert machine.store.pipelines.get(PipelineName("main")).stages == ("canary", "everybody")
    assert machine.type("pipelines:add main shop --stage 'no good'").status == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("pipelines:create main shop", "pipeline main exists already"),
        ("pipelines:create other shop-staging", "shop-staging is in the pipeline main already"),
        ("pipelines:add other shop", "pipeline other does not exist"),
        ("pipelines:add main", "which app? none was named"),
        ("pipelines:add main shop --app shop-staging", "two apps are named"),
        ("pipelines:add main shop-staging", "is in the pipeline main already, as staging"),
        ("pipelines:remove shop", "shop is in no pipeline"),
        ("pipelines:remove", "which app? none was named"),
        ("pipelines:remove", "name one of: shop-staging"),
        ("pipelines:add main", "name one of: shop"),
        ("pipelines:add nothing", "pipeline nothing does not exist"),
        ("pipelines:destroy", "which pipeline? none was named"),
        ("pipelines:destroy", "name one of: main"),
        ("pipelines:update shop-staging", "one of --stage and --stages is needed"),
        ("pipelines:update --stage x", "which app? none was named"),
        ("pipelines:update --stage x", "name one of: shop-staging"),
        ("pipelines:update main --stages production", "staging of main has apps"),
        ("pipelines:rename other more", "pipeline other does not exist"),
        ("pipelines:destroy other", "pipeline other does not exist"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    machine: Machine, line: str, reason: str
) -> None:
    for name in (SHOP, STAGING):
        machine.store.apps.create(name)
    machine.type("pipelines:create main shop-staging")
    before = machine.store.pipelines.list()
    answer = machine.type(line)
    assert answer.status == 1
    assert reason in answer.errors
    assert machine.store.pipelines.list() == before


def test_the_only_pipeline_need_not_be_named_to_add_to_it_or_rename_it(machine: Machine) -> None:
    for name in (SHOP, STAGING, EU):
        machine.store.apps.create(name)
    machine.type("pipelines:create main shop-staging")
    assert "production (shop)" in machine.type("pipelines:add shop").out
    assert machine.type("--app shop-eu pipelines:add --stage eu").status == 0
    assert machine.type("pipelines:rename shop").out.startswith("shop: staging (shop-staging)")
    machine.type("pipelines:create other")
    machine.store.apps.create(AppName("blog"))
    several = machine.type("pipelines:add blog")
    assert "which pipeline? there are several" in several.errors
    assert "name one of: other, shop" in several.errors
    assert "name one of: other, shop" in machine.type("pipelines:rename third").errors


def test_an_unknown_app_is_exit_20_and_no_pipeline_is_made(machine: Machine) -> None:
    assert machine.type("pipelines:create main nobody").status == 20
    assert machine.store.pipelines.list() == []


def test_an_app_changes_its_stage_leaves_and_the_pipeline_is_renamed_and_destroyed(
    two: Machine,
) -> None:
    assert "qa (shop-staging)" in two.type("pipelines:update shop-staging --stage qa").out
    assert two.type("--app shop-staging pipelines:update --stage staging").status == 0
    assert "x (shop-staging)" in two.type("pipelines:update main -a shop-staging -s x").out
    other = two.type("pipelines:update other -a shop-staging -s staging")
    assert "shop-staging is not in a pipeline other" in other.errors
    assert two.type("pipelines:rename main other").status == 0
    assert two.type("pipelines:remove shop").status == 0
    assert two.type("pipelines:destroy other").out == "other is gone; its apps go on running\n"
    assert two.type("pipelines --format json").json == []
    assert [task.app for task in two.scheduler.tasks()] == [SHOP, STAGING]


def test_help_of_the_noun_has_the_commands_of_both_files(machine: Machine) -> None:
    shown = machine.type("pipelines:help").out
    for name in ("pipelines:create", "pipelines:promote", "pipelines:verify"):
        assert name in shown


# ------------------------------------------------------------- which one


def test_several_pipelines_are_listed_where_one_must_be_named(two: Machine) -> None:
    two.type("pipelines:create other")
    for line in ("pipelines:info", "pipelines:verify", "pipelines:update --stages a"):
        answer = two.type(line)
        assert answer.status == 1
        assert "which pipeline? there are several" in answer.errors
        assert "name one of: main, other" in answer.errors
    assert two.type("pipelines:info main").status == 0


def test_several_apps_that_could_be_promoted_are_listed(two: Machine) -> None:
    two.live(AppName("blog-staging"))
    two.live(AppName("blog"))
    two.type("pipelines:create blogs blog-staging blog")
    for line in ("pipelines:promote", "pipelines:diff"):
        answer = two.type(line)
        assert answer.status == 1
        assert "name one of: blog-staging (blogs), shop-staging (main)" in answer.errors
    assert two.store.releases.list(SHOP)[0].version == 1


def test_without_a_pipeline_the_next_thing_to_type_is_told(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    for line in ("pipelines:info", "pipelines:destroy", "pipelines:add shop"):
        assert "pipelines:create makes one" in machine.type(line).errors
    assert "pipelines shows what there is" in machine.type("pipelines:promote").errors
    assert "pipelines:add PIPELINE shop" in machine.type("pipelines:promote shop").errors


# ------------------------------------------------------------- promote


def test_promote_without_a_word_releases_the_slug_with_the_targets_own_config(
    two: Machine,
) -> None:
    two.store.config.replace(SHOP, {"COLOUR": "red"})
    two.store.config.replace(STAGING, {"COLOUR": "blue"})

    answer = two.type("pipelines:promote")

    assert answer.status == 0, answer.errors
    live = two.store.releases.current(SHOP)
    assert live is not None
    assert (live.version, live.slug.image, live.config) == (2, NEW, {"COLOUR": "red"})
    assert live.description.startswith("Promote shop-staging v1 ")
    assert answer.out.splitlines()[-2:] == [
        "=====> Promotion of shop-staging",
        "shop  succeeded  v2  -",
    ]
    assert two.type("pipelines:diff --format json").json[0]["same_slug"]


def test_json_of_promote_is_one_document_and_the_rest_is_on_stderr(two: Machine) -> None:
    answer = two.type("pipelines:promote shop-staging --format json")
    assert answer.json == {
        "source": "shop-staging",
        "succeeded": True,
        "targets": [
            {
                "app": "shop",
                "outcome": "succeeded",
                "release": "v2",
                "version": 2,
                "error": "",
            }
        ],
    }
    assert "=====> Release v2 of shop" in answer.errors


def test_a_target_that_fails_makes_the_exit_code_1_and_stays_as_it_was(two: Machine) -> None:
    two.scheduler.broken = {WEB}
    answer = two.type("pipelines:promote")
    assert answer.status == 1
    assert answer.out.splitlines()[-1] == "shop  failed  v2  web.1 did not start"
    live = two.store.releases.current(SHOP)
    assert live is not None
    assert live.version == 1


def test_an_older_release_of_the_source_can_be_promoted(two: Machine) -> None:
    first = two.store.releases.get(STAGING, 1)
    two.type("config:set shop-staging A=1")
    assert two.type("pipelines:promote --release v1 shop-staging").status == 0
    live = two.store.releases.current(SHOP)
    assert live is not None
    assert (live.slug, live.config) == (first.slug, {})


def test_to_names_any_app_of_the_pipeline_and_no_other(two: Machine) -> None:
    two.store.apps.create(EU)
    refused = two.type("pipelines:promote --to shop-eu shop-staging")
    assert "shop-eu is not in the pipeline main" in refused.errors
    two.type("pipelines:add main shop-eu --stage eu")
    assert two.type("pipelines:promote shop-staging --to shop,shop-eu,shop").status == 0
    for app in (SHOP, EU):
        live = two.store.releases.current(app)
        assert live is not None
        assert live.slug.image == NEW


@pytest.mark.parametrize(
    ("line", "reason", "status"),
    [
        ("pipelines:promote shop", "nothing comes after shop: production is the last stage", 1),
        ("pipelines:promote shop-staging --to shop-staging", "cannot be promoted to itself", 1),
        ("pipelines:promote shop-staging --release v9", "no release v9", 1),
        ("pipelines:promote shop-staging --to ''", "--to names no app", 1),
        ("pipelines:promote shop-staging --to ,", "--to names no app", 1),
        ("pipelines:promote nobody", "app nobody does not exist", 20),
        ("pipelines:promote --one-by-one --all-or-nothing", "exclude each other", 1),
        ("pipelines:promote shop-staging --release one", "'one' is not a release", 1),
    ],
)
def test_what_cannot_be_promoted_is_refused_with_the_reason(
    two: Machine, line: str, reason: str, status: int
) -> None:
    answer = two.type(line)
    assert (answer.status, len(two.store.releases.list(SHOP))) == (status, 1)
    assert reason in answer.errors


def test_histories_that_share_nothing_need_force(two: Machine) -> None:
    two.live(SHOP, commit=CommitId("a" * 40), key="other")
    refused = two.type("pipelines:promote")
    assert refused.status == 1
    assert "share no history" in refused.errors
    assert "--force promotes all the same" in refused.errors
    assert two.type("pipelines:promote --force").status == 0


def test_slug_that_is_not_on_this_machine_any_more_cannot_be_promoted(two: Machine) -> None:
    two.live(STAGING, key="newer", image=ImageDigest("sha256:" + "7" * 64))
    slug = f"pushdeploy-{two.engine.instance}/slug"
    two.engine.remove_image(f"{slug}:new")
    former = two.type("pipelines:promote shop-staging --release v1")
    assert "v1 of shop-staging has expired" in former.errors
    assert "releases shop-staging shows what is left" in former.errors
    two.engine.remove_image(f"{slug}:newer")
    live = two.type("pipelines:promote shop-staging")
    assert "v2 of shop-staging has expired" in live.errors
    assert "ps:rebuild shop-staging" in live.errors
    assert (former.status, live.status, len(two.store.releases.list(SHOP))) == (1, 1, 1)


def test_failed_release_cannot_be_promoted(two: Machine) -> None:
    two.scheduler.broken = {WEB}
    two.type("config:set shop-staging A=1")
    two.scheduler.broken = set()
    answer = two.type("pipelines:promote shop-staging --release v2")
    assert answer.status == 1
    assert "v2 of shop-staging was never live: it is failed" in answer.errors


def test_locked_target_refuses_all_of_a_promotion_with_who_when_and_why(three: Machine) -> None:
    three.type("apps:lock shop-eu until the fair ends")
    answer = three.type("pipelines:promote")
    assert answer.status == 75
    assert "shop-eu was locked by ada at 20" in answer.errors
    assert "UTC: until the fair ends" in answer.errors
    assert "apps:unlock shop-eu" in answer.errors
    assert len(three.store.releases.list(SHOP)) == 1


def test_lock_of_the_source_does_not_keep_it_from_being_promoted(two: Machine) -> None:
    two.type("apps:lock shop-staging")
    purpose = Purpose("deploy of abc1234", "bob")
    with two.platform.locks.hold(STAGING, purpose, Quiet(), Cancellation()):
        assert two.type("pipelines:promote").status == 0


def test_lock_that_comes_while_a_promotion_waits_is_heeded(two: Machine) -> None:
    client = Listener(b"waiting: deploy of")
    purpose = Purpose("deploy of abc1234", "bob")
    with two.platform.locks.hold(SHOP, purpose, Quiet(), Cancellation()):
        promotion = Thread(target=two.type_as, args=[client, "pipelines:promote"], daemon=True)
        promotion.start()
        assert client.told.wait(20), client.out.decode()
        two.type("apps:lock shop no more")
    promotion.join(20)
    assert b"shop was locked by ada" in client.errors
    assert len(two.store.releases.list(SHOP)) == 1


def test_slug_that_goes_while_a_promotion_waits_is_missed(two: Machine) -> None:
    client = Listener(b"waiting: deploy of")
    purpose = Purpose("deploy of abc1234", "bob")
    with two.platform.locks.hold(SHOP, purpose, Quiet(), Cancellation()):
        promotion = Thread(target=two.type_as, args=[client, "pipelines:promote"], daemon=True)
        promotion.start()
        assert client.told.wait(20), client.out.decode()
        two.engine.remove_image(f"pushdeploy-{two.engine.instance}/slug:new")
    promotion.join(20)
    assert b"v1 of shop-staging has expired" in client.errors
    assert len(two.store.releases.list(SHOP)) == 1


def test_app_without_a_live_release_has_nothing_to_promote(machine: Machine) -> None:
    for name in (SHOP, STAGING):
        machine.store.apps.create(name)
    machine.type("pipelines:create main shop-staging shop")
    answer = machine.type("pipelines:promote shop-staging")
    assert "shop-staging has no live release to promote" in answer.errors


@pytest.fixture
def three(two: Machine) -> Machine:
    """Two production apps, of which each has something live."""
    two.live(EU, commit=two.store.releases.get(SHOP, 1).slug.commit, key="old")
    two.refs.ensure(EU)
    two.refs.share(STAGING, EU, two.store.releases.get(SHOP, 1).slug.commit)
    two.type("pipelines:add main shop-eu")
    return two


def outcomes(machine: Machine, flags: str) -> list[tuple[str, str, int | None]]:
    answer = machine.type(f"pipelines:promote shop-staging {flags} --format json")
    assert answer.status == (0 if answer.json["succeeded"] else 1)
    return [(row["app"], row["outcome"], row["version"]) for row in answer.json["targets"]]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", [("shop", "failed", 2), ("shop-eu", "succeeded", 2)]),
        ("--one-by-one", [("shop", "failed", 2), ("shop-eu", "skipped", None)]),
        ("--one-by-one --to shop-eu,shop", [("shop-eu", "succeeded", 2), ("shop", "failed", 2)]),
        ("--all-or-nothing", [("shop", "failed", 2), ("shop-eu", "failed", 2)]),
    ],
)
def test_failing_target_does_to_the_others_what_the_flag_says(
    three: Machine, flags: str, expected: list[tuple[str, str, int | None]]
) -> None:
    three.scheduler.broken_apps = {SHOP}
    assert outcomes(three, flags) == expected


def test_trouble_of_several_targets_is_on_stderr_and_names_the_target(three: Machine) -> None:
    three.scheduler.broken_apps = {SHOP}
    answer = three.type("pipelines:promote")
    assert "[shop]     !     web.1 did not start" in answer.errors
    assert "[shop]     !         no module named shop" in answer.errors
    assert " !  " not in answer.out
    assert "[shop-eu] =====> shop-eu v2 is live" in answer.out


class Listener(Client):
    """Knows when it has been told all of ``texts``."""

    def __init__(self, *texts: bytes) -> None:
        super().__init__()
        self.told = Event()
        self._texts = texts

    def write(self, data: bytes) -> None:
        super().write(data)
        if all(text in self.out for text in self._texts):
            self.told.set()


def test_ctrl_c_ends_the_wait_for_one_target_when_another_is_live_already_regression(
    three: Machine,
) -> None:
    client = Listener(b"shop v2 is live", b"waiting: deploy of")
    purpose = Purpose("deploy of abc1234", "bob")
    with three.platform.locks.hold(EU, purpose, Quiet(), Cancellation()):
        promotion = Thread(target=three.type_as, args=[client, "pipelines:promote"], daemon=True)
        promotion.start()
        assert client.told.wait(20), client.out.decode()
        assert client.cancellation.cancel("Ctrl-C")
        promotion.join(20)
        assert not promotion.is_alive()
    rows = [line.split()[:3] for line in client.out.decode().splitlines()[-2:]]
    assert rows == [["shop", "succeeded", "v2"], ["shop-eu", "failed", "-"]]
    assert b"[shop-eu]  !     cancelled: Ctrl-C" in client.errors


@pytest.mark.parametrize("flags", ["", "--all-or-nothing"])
def test_source_that_is_destroyed_while_its_promotion_waits_is_not_released_regression(
    two: Machine, flags: str
) -> None:
    client, deploy = Listener(b"waiting: deploy"), Purpose("deploy of 4a4bd4d", "bob")
    line = f"pipelines:promote shop-staging {flags}"
    with ThreadPoolExecutor(1) as pool:
        with two.platform.locks.hold(SHOP, deploy, Quiet(), Cancellation()):
            promotion = pool.submit(two.type_as, client, line)
            assert client.told.wait(20)
            assert two.type("apps:destroy shop-staging --force").status == 0
        answer = promotion.result(20)
    assert answer.status == 1
    assert "there is no release v1 of shop-staging" in answer.errors
    assert [release.version for release in two.store.releases.list(SHOP)] == [1]


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
    assert "another  succeeded  v1  it had no release before: the new one stays" in answer.out
    assert three.store.releases.current(first) is not None


def test_waits_of_all_or_nothing_name_the_target(three: Machine) -> None:
    client = Listener(b"[shop-eu]        waiting: deploy of abc1234 by bob since ")
    purpose = Purpose("deploy of abc1234", "bob")
    with three.platform.locks.hold(EU, purpose, Quiet(), Cancellation()):
        line = "pipelines:promote --all-or-nothing"
        promotion = Thread(target=three.type_as, args=[client, line], daemon=True)
        promotion.start()
        assert client.told.wait(20), client.out.decode()
        client.cancellation.cancel("Ctrl-C")
        promotion.join(20)
    assert b"cancelled: Ctrl-C" in client.errors
    assert [len(three.store.releases.list(app)) for app in (SHOP, EU)] == [1, 1]


def cut_short(machine: Machine, targets: str) -> None:
    """An all-or-nothing promotion to both, killed when only ``targets`` were live; then a start."""
    take_back = machine.platform.promoter.take_back
    noted = take_back.noted({app: take_back.former(app) for app in (SHOP, EU)})
    with noted, monitored(machine) as journal:
        assert machine.type(f"pipelines:promote shop-staging --to {targets}").status == 0
    for name, text in journal.items():
        machine.store.meta.set(name, text)
    take_back.recover()
    with machine.platform.locks.hold(SHOP, Purpose("look", "ada"), Quiet(), Cancellation()):
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


def test_defect_in_one_target_does_not_keep_the_others_waiting_regression(three: Machine) -> None:
    three.scheduler.defects = {SHOP}
    with pytest.raises(ZeroDivisionError):
        three.type("pipelines:promote --all-or-nothing")
    live = three.store.releases.current(EU)
    assert live is not None
    assert live.version == 1


def test_commit_that_cannot_be_shared_does_not_make_a_live_target_a_failed_one_regression(
    two: Machine,
) -> None:
    (two.refs.path(SHOP) / "objects").rename(two.refs.path(SHOP) / "aside")
    answer = two.type("pipelines:promote --force")
    assert answer.status == 0, answer.errors
    assert "is not in the repository of shop" in answer.errors


# ------------------------------------------------------------- info and diff


def test_info_tells_what_is_live_and_who_is_ahead(two: Machine, history: list[CommitId]) -> None:
    answer = two.type("pipelines:info")
    assert answer.out.splitlines() == [
        "main: staging (shop-staging) → production (shop)",
        f"staging     shop-staging  v1  {history[2][:7]}  -",
        f"production  shop          v1  {history[0][:7]}  2 behind shop-staging",
    ]
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


# ------------------------------------------------------------- verify


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
    with two.platform.locks.hold(SHOP, Purpose("promotion", "bob"), Quiet(), Cancellation()):
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


def test_the_stage_of_an_app_is_told_to_its_processes(two: Machine) -> None:
    live = two.store.releases.current(SHOP)
    assert live is not None
    told = two.platform.manifests.of(two.store.apps.get(SHOP), live).environment
    assert (told["PIPELINE"], told["STAGE"]) == ("main", StageName("production"))
    two.type("pipelines:remove shop")
    told = two.platform.manifests.of(two.store.apps.get(SHOP), live).environment
    assert "STAGE" not in told
    assert slug_of().image == live.slug.image
