"""What people bring along from Dokku: clones, reports, git:set, directories for storage."""

import pytest

from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import ReleaseStatus
from tests.unit.commands.machine import SHOP, WORKER, Machine

COPY = AppName("copy")


def test_a_clone_runs_the_same_slug_with_the_same_config(machine: Machine) -> None:
    live = machine.live()
    machine.type("config:set shop A=1")
    machine.type("ps:scale shop web=2")
    machine.type("apps:set shop drain=5s")
    machine.type("domains:add shop shop.example.com")
    machine.type("disks:attach shop data /data")
    answer = machine.type("apps:clone shop copy")
    assert answer.status == 0
    made = machine.store.releases.get(COPY, 1)
    assert (made.slug, made.config, made.status) == (live.slug, {"A": "1"}, ReleaseStatus.LIVE)
    assert machine.places(COPY) == ["web.1", "web.2"]
    assert machine.store.apps.get(COPY).settings.front.drain_seconds == 5
    assert machine.store.domains.of(COPY) == []
    assert list(machine.store.disks.of(COPY)) == [Attachment.parse("data", "/data")]
    assert "disks:clone shop data copy --force" in answer.out


def test_a_clone_may_wait_for_its_first_release(machine: Machine) -> None:
    machine.live()
    assert machine.type("apps:clone --skip-deploy shop copy").status == 0
    assert machine.store.releases.latest(COPY) is None


def test_a_clone_of_nothing_live_is_an_app_with_its_config(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("config:set shop A=1")
    assert machine.type("apps:clone shop copy").status == 0
    assert machine.store.config.get(COPY) == {"A": "1"}


def test_a_clone_that_is_refused_leaves_nothing(machine: Machine) -> None:
    machine.live()
    machine.router.refused = {"copy.apps.test"}
    assert machine.type("apps:clone shop copy").status == 1
    assert machine.store.apps.find(COPY) is None
    assert not machine.refs.exists(COPY)
    machine.router.refused = set()
    for line in ("apps:clone shop Copy_1", "apps:clone shop", "apps:clone shop copy --nope"):
        assert machine.type(line).status == 1
    assert [app.name for app in machine.store.apps.list()] == [SHOP]


def test_an_app_that_exists_is_not_cloned_over(machine: Machine) -> None:
    machine.live()
    machine.type("apps:create copy")
    assert machine.type("apps:clone shop copy").status == 1
    assert machine.type("apps:clone shop copy --ignore-existing").status == 0
    assert machine.store.releases.latest(COPY) is None


def test_a_clone_whose_release_fails_stays_to_be_looked_at(machine: Machine) -> None:
    machine.live()
    machine.scheduler.broken_apps = {COPY}
    answer = machine.type("apps:clone shop copy")
    assert answer.status == 1
    assert "releases:output copy" in answer.errors
    assert machine.store.releases.get(COPY, 1).status is ReleaseStatus.FAILED


def test_locked_tells_by_its_exit_code(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type("apps:locked shop").status == 1
    machine.type("apps:lock shop the fair")
    answer = machine.type("apps:locked shop")
    assert (answer.status, "ada" in answer.out, "the fair" in answer.out) == (0, True, True)


def test_the_deploy_branch_is_set_under_its_name_of_dokku(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type("git:set shop deploy-branch release").status == 0
    assert machine.store.apps.get(SHOP).settings.deploy.deploy_branch == "release"
    assert machine.type("git:report shop --git-deploy-branch").out == "release\n"
    assert machine.type("git:set shop deploy-branch").status == 0
    assert machine.store.apps.get(SHOP).settings.deploy.deploy_branch is None
    assert machine.type("git:set shop keep-git-dir true").status == 1
    assert machine.type("git:set shop deploy-branch ..").status == 1


def test_a_directory_for_storage_is_the_disk_of_that_name(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type("storage:ensure-directory uploads --chown false").status == 0
    place = "/var/lib/dokku/data/storage/uploads:/app/uploads"
    assert machine.type(f"storage:mount shop {place}").status == 0
    assert list(machine.store.disks.of(SHOP)) == [Attachment.parse("uploads", "/app/uploads")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ps:report shop --running", "true"),
        ("ps:report shop --deployed", "true"),
        ("ps:report shop --processes", "2"),
        ("--app shop ps:report --ps-can-scale", "true"),
        ("apps:report shop --app-locked", "false"),
        ("domains:report shop --domains-app-vhosts", "shop.apps.test"),
        ("ports:report shop --ports-map", "http:8080:5000"),
        ("checks:report shop --checks-wait-to-retire", "30"),
        ("git:report shop --git-deploy-branch", "main"),
    ],
)
def test_a_report_prints_one_fact_alone(machine: Machine, line: str, expected: str) -> None:
    machine.live()
    machine.type("ps:scale shop worker=1")
    answer = machine.type(line)
    assert (answer.status, answer.out) == (0, f"{expected}\n")


@pytest.mark.parametrize("noun", ["apps", "ps", "domains", "checks", "ports", "git"])
def test_a_report_is_for_people_and_programs_of_one_app_and_of_all(
    machine: Machine, noun: str
) -> None:
    assert machine.type(f"{noun}:report").status == 0
    machine.live()
    machine.live(COPY)
    assert machine.type(f"{noun}:report shop").out.startswith(f"=====> shop {noun} information\n")
    one = machine.type(f"{noun}:report shop --format json").json
    assert set(machine.type(f"{noun}:report --format json").json) == {"shop", "copy"}
    assert machine.type(f"{noun}:report --format json").json["shop"] == one
    assert machine.type(f"{noun}:report shop --no-such-fact").status == 1
    assert machine.type(f"{noun}:report nothing").status == 20


def test_a_report_of_processes_tells_of_each(machine: Machine) -> None:
    machine.live()
    machine.type("ps:scale shop worker=1")
    report = machine.type("ps:report shop --format json").json
    assert report["status-web-1"].startswith("up (container: ")
    assert str(WORKER) in " ".join(report)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("domains:add blog", "for example: domains:add blog blog.example.com"),
        ("-a blog disks:attach data", "for example: disks:attach blog data /data"),
        ("disks:attach blog /etc /data", "for example: disks:attach blog data /data"),
        ("ps:scale blog web=x", "write it like  ps:scale blog web=2"),
        ("ps blog --json", "write  --format json"),
        ("domains:add", "for example: domains:add shop"),
    ],
)
def test_what_is_wrong_in_a_line_is_answered_with_a_line_for_the_same_app(
    machine: Machine, line: str, hint: str
) -> None:
    machine.store.apps.create(AppName("blog"))
    answer = machine.type(line)
    assert answer.status == 1
    assert hint in answer.errors


def test_heroku_s_names_of_a_process_are_understood_and_an_empty_log_says_so(
    machine: Machine,
) -> None:
    machine.live()
    for flag in ("-p", "--ps", "-d", "--dyno"):
        answer = machine.type(f"logs shop {flag} nope")
        assert (answer.status, answer.out) == (0, "")
        assert "nope of shop has logged nothing yet: ps shop" in answer.errors
    assert "no such row" in machine.type("audit --by nobody").errors
