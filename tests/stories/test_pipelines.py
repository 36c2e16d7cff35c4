"""One slug from stage to stage: promoted, compared, and proved from the running containers."""

import json
import secrets
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Repository, Server, wait_until
from tests.stories.leftovers import stack_image
from tests.stories.means import run_checked
from tests.stories.traffic import visiting

pytestmark = pytest.mark.docker

PROCFILE = 'release: echo migrating $APP; test "$BREAK" != 1\nweb: python web.py\n'


@dataclass(frozen=True, slots=True)
class Stages:
    """A pipeline with one app in staging, live, and one or two in production.

    Where there are three stages, the one between them has the app ``canary``.
    """

    name: str
    staging: Repository
    shop: str
    eu: str
    canary: str


@pytest.fixture
def stages(server: Server, repo: MakeRepository) -> Stages:
    """The production app has never been released."""
    name = f"p{secrets.token_hex(3)}"
    staging = repo("hello", f"{name}-staging")
    staging.write("Procfile", PROCFILE)
    staging.commit("A release command")
    staging.push(check=True)
    for app in (name, f"{name}-eu", f"{name}-canary"):
        server.ssh(f"apps:create {app}", check=True)
    server.ssh(f"pipelines:create {name} {name}-staging {name}", check=True)
    return Stages(name, staging, name, f"{name}-eu", f"{name}-canary")


@pytest.fixture
def three(server: Server, stages: Stages) -> Stages:
    """Two production apps, both with version 1; staging, and the canary after it, have 2."""
    server.ssh(f"pipelines:add {stages.name} {stages.eu}", check=True)
    server.ssh(f"pipelines:promote {stages.staging.app}", check=True)
    server.ssh(f"pipelines:add {stages.name} {stages.canary} --stage canary", check=True)
    order = "staging,canary,production"
    server.ssh(f"pipelines:update {stages.name} --stages {order}", check=True)
    stages.staging.write("VERSION", "2\n")
    stages.staging.commit("Version 2")
    stages.staging.push(check=True)
    promotion = promoted(server, stages.staging.app, 0)
    assert promotion == {stages.canary: ("succeeded", "")}, "the next stage and no other"
    return stages


def journals(server: Server, repo: MakeRepository) -> tuple[str, Repository]:
    """A production app and its staging, each with a disk, both live with version 1."""
    name = f"j{secrets.token_hex(3)}"
    staging = repo("journal", f"{name}-staging")
    for app in (name, staging.app):
        server.ssh(f"apps:create {app}", check=True)
        server.ssh(f"disks:attach {app} data /data", check=True)
    server.ssh(f"pipelines:create {name} {staging.app} {name}", check=True)
    staging.push(check=True)
    server.ssh(f"pipelines:promote {staging.app}", check=True)
    return name, staging


def inspected(container: str, form: str) -> str:
    words = ["docker", "inspect", "--format", form, container]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def image_of(server: Server, app: str) -> str:
    """What the containers of an app run, as Docker says."""
    found = server.containers(f"pushdeploy.app={app}", "pushdeploy.role=task")
    images = {inspected(container, "{{.Image}}") for container in found}
    assert len(images) == 1, images
    return images.pop()


def body(server: Server, app: str) -> str:
    return server.get(app).body


def promoted(server: Server, line: str, status: int) -> dict[str, tuple[str, str]]:
    """Outcome and error of each target."""
    result = server.ssh(f"pipelines:promote {line} --format json")
    assert result.returncode == status, result.stderr
    document = json.loads(result.stdout)
    assert document["succeeded"] is (status == 0)
    return {row["app"]: (row["outcome"], row["error"]) for row in document["targets"]}


def test_a_slug_goes_from_stage_to_stage_as_the_very_same_bytes(
    server: Server, stages: Stages
) -> None:
    shop, staging = stages.shop, stages.staging
    server.ssh(f"config:set {shop} VERSION=of-production", check=True)

    first = server.ssh(f"pipelines:promote {staging.app}")
    assert first.returncode == 0, first.stderr
    assert f"=====> Release v1 of {shop}: Promote {staging.app} v1 {staging.head[:7]}" in (
        first.stdout
    )
    assert f"migrating {shop}" in first.stdout
    assert "Building" not in first.stdout
    assert first.stdout.splitlines()[-1].split() == [shop, "succeeded", "v1", "-"]
    assert body(server, shop) == "hello from version of-production\n"
    assert body(server, staging.app) == "hello from version 1\n"
    assert image_of(server, shop) == image_of(server, staging.app)

    staging.write("VERSION", "2\n")
    staging.commit("The second version")
    staging.push(check=True)
    diff = server.ssh(f"pipelines:diff {staging.app}", check=True).stdout
    assert ": 1 ahead" in diff.splitlines()[0]
    assert "The second version" in diff
    assert f"only in {shop}: VERSION" in diff
    assert "of-production" not in diff
    info = server.ssh(f"pipelines:info {stages.name}", check=True).stdout
    assert f"1 behind {staging.app}" in info

    with visiting(server, shop) as visits:
        assert promoted(server, staging.app, 0) == {shop: ("succeeded", "")}
    assert visits.lost == []
    assert image_of(server, shop) == image_of(server, staging.app)
    assert server.ledger(shop) == [(1, "retired", "promote"), (2, "live", "promote")]
    verified = server.ssh(f"pipelines:verify {stages.name}")
    assert verified.returncode == 0, verified.stderr
    digest = image_of(server, shop).removeprefix("sha256:")[:12]
    assert [line.split()[3] for line in verified.stdout.splitlines()] == [digest, digest]


def test_processes_are_told_their_stage_and_use_their_own_disk(
    server: Server, repo: MakeRepository
) -> None:
    name, staging = journals(server, repo)
    server.get(name, method="POST", body="of production")

    assert promoted(server, staging.app, 0) == {name: ("succeeded", "")}

    assert server.get(name, "/journal").body == "release v1\nof production\nrelease v2\n"
    assert server.get(staging.app, "/journal").body == "release v1\n"
    told = server.ssh(f"run {name} 'echo $PIPELINE $STAGE $APP'", check=True).stdout
    assert told.split() == [name, "production", name]
    told = server.ssh(f"run {staging.app} 'echo $STAGE'", check=True).stdout
    assert told.split() == ["staging"]


@pytest.mark.parametrize(
    ("flags", "outcomes", "versions"),
    [
        ("", ("failed", "succeeded"), ("1", "2")),
        ("--one-by-one", ("failed", "skipped"), ("1", "1")),
        ("--all-or-nothing", ("failed", "failed"), ("1", "1")),
    ],
)
def test_a_target_whose_release_fails_stays_and_the_flag_says_what_the_other_does(
    server: Server,
    three: Stages,
    flags: str,
    outcomes: tuple[str, str],
    versions: tuple[str, str],
) -> None:
    server.ssh(f"config:set {three.shop} BREAK=1 --no-restart", check=True)

    result = server.ssh(f"pipelines:promote {three.canary} {flags}")

    assert result.returncode == 1
    shown = [line.split()[:2] for line in result.stdout.splitlines()[-2:]]
    assert shown == [[three.shop, outcomes[0]], [three.eu, outcomes[1]]]
    prefix = f"[{three.shop}] ".ljust(len(three.eu) + 3)
    assert f"{prefix}       migrating {three.shop}" in result.stdout
    trouble = f"{prefix} !     the release command of v2 ended with exit code 1: "
    assert any(line.startswith(trouble) for line in result.stderr.splitlines())
    for app, version in zip((three.shop, three.eu), versions, strict=True):
        assert body(server, app) == f"hello from version {version}\n"
        assert len(server.containers(f"pushdeploy.app={app}")) == 1

    server.ssh(f"config:unset {three.shop} BREAK", check=False)
    again = promoted(server, f"{three.canary} --all-or-nothing", 0)
    assert [outcome for outcome, _ in again.values()] == ["succeeded", "succeeded"]
    assert body(server, three.shop) == body(server, three.eu) == "hello from version 2\n"
    apps = (three.staging.app, three.canary, three.shop, three.eu)
    assert len({image_of(server, app) for app in apps}) == 1
    assert server.ssh(f"pipelines:verify {three.name}").returncode == 0


def test_all_or_nothing_that_is_killed_between_two_switches_comes_to_nothing_regression(
    mortal: Server, repo: MakeRepository
) -> None:
    name = f"a{secrets.token_hex(3)}"
    staging, eu = repo("hello", f"{name}-staging", on=mortal), f"{name}-eu"
    staging.push(check=True)
    for app in (name, eu):
        mortal.ssh(f"apps:create {app}", check=True)
    mortal.ssh(f"pipelines:create {name} {staging.app} {name} {eu}", check=True)
    mortal.ssh(f"pipelines:promote {staging.app}", check=True)
    staging.write("VERSION", "2\n")
    staging.commit("Version 2")
    staging.push(check=True)

    with ThreadPoolExecutor(1) as visitor:
        held = visitor.submit(mortal.get, eu, "/held?1")  # its old task cannot be left meanwhile
        wait_until(lambda: "a request is held" in mortal.ssh(f"logs {eu}").stdout, 60, mortal.log)
        (old,) = mortal.containers(f"pushdeploy.app={eu}")
        promotion = mortal.watch_ssh(f"pipelines:promote {staging.app} --all-or-nothing")
        promotion.wait_for(f"{name} v2 is live")
        assert mortal.ledger(eu)[-1] == (2, "switching", "promote")
        mortal.kill()
        promotion.end()
        mortal.start()
        wait_until(lambda: mortal.ledger(name)[-1] == (3, "live", "rollback"), 60, mortal.log)

        assert mortal.ledger(eu)[-2:] == [(1, "live", "promote"), (2, "failed", "promote")]
        assert body(mortal, name) == body(mortal, eu) == "hello from version 1\n"
        run_checked(["docker", "exec", old, "touch", "/tmp/answer"], cwd=mortal.root)
        assert held.result().status == 200
    assert mortal.ssh(f"pipelines:verify {name}").returncode == 0


def test_the_source_can_be_pushed_while_it_is_promoted(
    server: Server, repo: MakeRepository
) -> None:
    name, staging = journals(server, repo)
    gate = server.disk(name) / "hold-release"
    gate.touch()

    promotion = server.watch_ssh(f"pipelines:promote {staging.app}")
    promotion.wait_for("release: waiting at the gate")
    staging.write("VERSION", "2\n")
    staging.commit()
    staging.push(check=True)
    assert body(server, staging.app) == "journal of version 2\n"
    assert not promotion.ended
    gate.unlink()

    assert promotion.end() == 0, promotion.said
    assert body(server, name) == "journal of version 1\n"
    assert server.ssh(f"pipelines:verify {name}").returncode == 0


def test_what_is_live_is_promoted_while_a_push_to_it_is_going_on(
    server: Server, repo: MakeRepository
) -> None:
    name, staging = journals(server, repo)
    gate = server.disk(staging.app) / "hold-release"
    gate.touch()
    try:
        staging.write("VERSION", "2\n")
        staging.commit()
        push = staging.start_push()
        push.wait_for("release: waiting at the gate")
        assert promoted(server, staging.app, 0) == {name: ("succeeded", "")}
        assert not push.ended
        assert body(server, name) == "journal of version 1\n"
    finally:
        gate.unlink()

    assert push.end() == 0, push.said
    assert body(server, staging.app) == "journal of version 2\n"
    assert server.ledger(name) == [(1, "retired", "promote"), (2, "live", "promote")]


def test_verify_names_a_container_that_was_started_by_hand(server: Server, stages: Stages) -> None:
    shop = stages.shop
    server.ssh(f"pipelines:promote {stages.staging.app}", check=True)
    (task,) = server.containers(f"pushdeploy.app={shop}")
    intruder = start_by_hand(server, task, f"{shop}-by-hand")
    try:
        found = server.ssh(f"pipelines:verify {stages.name}")
        assert found.returncode == 1
        assert f"{shop}: container {shop}-by-hand ({intruder[:12]}) calls itself web.1" in (
            found.stderr
        )
        assert set(server.containers(f"pushdeploy.app={shop}")) == {task, intruder}
        server.ssh(f"ps:scale {shop} web=1", check=True)
        assert body(server, shop) == "hello from version 1\n", "it gets no traffic"
        assert intruder in server.containers(f"pushdeploy.app={shop}")
    finally:
        subprocess.run(["docker", "rm", "-f", intruder], check=True, capture_output=True)
    assert server.ssh(f"pipelines:verify {stages.name}").returncode == 0


def start_by_hand(server: Server, task: str, name: str) -> str:
    """A container with all the labels of ``task`` from another image: its id, short as listed."""
    labels = json.loads(inspected(task, "{{json .Config.Labels}}"))
    image = f"{name}:other"
    subprocess.run(["docker", "commit", task, image], check=True, capture_output=True)
    words = ["docker", "run", "--detach", "--name", name, "--restart", "unless-stopped"]
    words += [f"--label={key}={value}" for key, value in labels.items()]
    subprocess.run(
        [*words, image, "/bin/sh", "-c", "exec sleep 600"], check=True, capture_output=True
    )
    subprocess.run(["docker", "rmi", "--no-prune", image], check=False, capture_output=True)
    return next(
        found for found in server.containers() if inspected(found, "{{.Name}}") == f"/{name}"
    )


def test_what_cannot_be_promoted_is_refused_and_nothing_changes(
    server: Server, stages: Stages, repo: MakeRepository
) -> None:
    shop, staging = stages.shop, stages.staging.app
    before = server.ledger(shop)

    def refused(line: str) -> str:
        result = server.ssh(f"pipelines:promote {line}")
        assert result.returncode != 0, result.stdout
        return result.stderr

    assert f"nothing comes after {shop}" in refused(shop)
    assert f"{stages.eu} is not in the pipeline" in refused(f"{staging} --to {stages.eu}")
    assert f"{shop} has no live release to promote" in refused(f"{shop} --to {staging}")
    server.ssh(f"apps:lock {shop} 'until the fair ends'", check=True)
    assert "until the fair ends" in refused(staging)
    server.ssh(f"apps:unlock {shop}", check=True)
    assert server.ledger(shop) == before == []

    stranger = repo("journal", f"{stages.name}-x")
    stranger.push(check=True)
    server.ssh(f"pipelines:add {stages.name} {stranger.app} --stage x", check=True)
    unrelated = refused(f"{staging} --to {stranger.app}")
    assert "share no history" in unrelated
    assert promoted(server, f"{staging} --to {stranger.app} --force", 0) == {
        stranger.app: ("succeeded", "")
    }
    assert body(server, stranger.app) == "hello from version 1\n"


def test_a_slug_of_a_dockerfile_is_promoted_too(server: Server, repo: MakeRepository) -> None:
    name = f"d{secrets.token_hex(3)}"
    staging = repo("dockerfile", f"{name}-staging")
    recipe = (staging.path / "Dockerfile").read_text()
    base = stack_image()
    staging.write("Dockerfile", recipe.replace("debian:bookworm-slim", base))
    staging.commit()
    staging.push(check=True)
    server.ssh(f"apps:create {name}", check=True)
    server.ssh(f"pipelines:create {name} {staging.app} {name}", check=True)
    assert promoted(server, staging.app, 0) == {name: ("succeeded", "")}
    assert body(server, name) == body(server, staging.app)
    assert image_of(server, name) == image_of(server, staging.app)
    assert server.ssh(f"pipelines:verify {name}").returncode == 0
