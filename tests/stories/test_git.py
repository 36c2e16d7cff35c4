"""Everything else that git can do: branches, tags, clones, shallow and atomic pushes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import DOMAIN, Repository, Server
from tests.stories.running import Running

pytestmark = pytest.mark.docker


@pytest.fixture
def hello(server: Server, repo: MakeRepository) -> Repository:
    """Live, with two commits."""
    repository = repo("hello")
    repository.write("README", "hello\n")
    repository.commit("A second commit")
    repository.push(check=True)
    return repository


def refs(repository: Repository) -> dict[str, str]:
    """What the server shows."""
    lines = repository.git("ls-remote", "deploy").stdout.splitlines()
    return {ref: commit for commit, _, ref in (line.partition("\t") for line in lines)}


def test_other_branches_and_tags_are_stored_and_do_not_deploy(
    server: Server, hello: Repository
) -> None:
    live = hello.head
    hello.git("tag", "v1")
    hello.git("tag", "-a", "-m", "annotated", "v1a")
    hello.write("VERSION", "2\n")
    other = hello.commit("On another branch")

    pushed = hello.push("HEAD:feature/two", "--tags")

    assert pushed.returncode == 0, pushed.stderr
    assert "Stored branch feature/two; only main deploys" in pushed.stderr
    assert "Stored tag v1" in pushed.stderr
    shown = refs(hello)
    assert shown["refs/heads/feature/two"] == other
    assert shown["refs/heads/main"] == shown["refs/tags/v1"] == shown["refs/tags/v1a^{}"] == live
    assert server.get(hello.app).body == "hello from version 1\n"
    assert server.ledger(hello.app) == [(1, "live", "deploy")]

    deleted = hello.push("--delete", "feature/two", "v1")
    assert deleted.returncode == 0, deleted.stderr
    assert "refs/heads/feature/two" not in refs(hello)


def test_the_deploy_branch_cannot_be_deleted(server: Server, hello: Repository) -> None:
    refused = hello.push("--delete", "main")
    assert refused.returncode == 1
    assert f"main is deployed; apps:destroy {hello.app} removes the app" in refused.stderr
    assert hello.remote_main == hello.head
    assert server.get(hello.app).status == 200


def test_master_deploys_where_it_came_first(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    repository.git("branch", "-m", "master")
    first = repository.push("master")
    assert first.returncode == 0, first.stderr
    assert server.get(repository.app).body == "hello from version 1\n"

    repository.write("VERSION", "2\n")
    repository.commit()
    stored = repository.push("master:main")
    assert "only master deploys" in stored.stderr
    assert server.get(repository.app).body == "hello from version 1\n"
    assert repository.push("master").returncode == 0
    assert server.get(repository.app).body == "hello from version 2\n"


def test_another_branch_deploys_when_it_is_set_so(server: Server, hello: Repository) -> None:
    server.ssh(f"apps:set {hello.app} deploy-branch=production", check=True)
    hello.write("VERSION", "2\n")
    hello.commit()
    assert "only production deploys" in hello.push("main").stderr
    assert server.get(hello.app).body == "hello from version 1\n"
    deployed = hello.push("main:production")
    assert deployed.returncode == 0, deployed.stderr
    assert server.get(hello.app).body == "hello from version 2\n"


def test_a_first_push_of_another_branch_only_keeps_it(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    stored = repository.push("main:feature")
    assert stored.returncode == 0, stored.stderr
    assert "Stored branch feature; only main deploys" in stored.stderr
    assert server.get(repository.app).status == 503
    assert server.record(f"apps:info {repository.app}")["state"] == "empty"
    repository.push(check=True)
    assert server.get(repository.app).status == 200


def test_a_tag_goes_live_and_later_pushes_of_main_too(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    repository.git("tag", "-a", "-m", "the first", "v1")

    pushed = repository.push("v1:main")

    assert pushed.returncode == 0, pushed.stderr
    assert f"Made app {repository.app}" in pushed.stderr
    assert refs(repository) == {"HEAD": repository.head, "refs/heads/main": repository.head}
    assert server.get(repository.app).body == "hello from version 1\n"
    repository.write("VERSION", "2\n")
    repository.commit()
    assert repository.push("main").returncode == 0
    assert server.get(repository.app).body == "hello from version 2\n"


def test_a_first_push_of_master_makes_it_the_branch_that_deploys(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    app = repository.app
    first = repository.push("main:master", check=True).stderr
    assert f"master deploys {app} from now on" in first
    server.ssh(f"config:set {app} A=1", check=True)
    repository.write("VERSION", "2\n")
    repository.commit()
    again = repository.push("main:master", check=True).stderr
    assert "from now on" not in again
    assert server.get(app).body == "hello from version 2\n"
    server.ssh(f"apps:set {app} deploy-branch=", check=True)
    stored = repository.push("main:master", "main:other", check=True).stderr
    assert f"to deploy it:  git push deploy {repository.head[:7]}:refs/heads/main" in stored


def test_a_former_name_says_the_present_one_also_after_a_restart(
    server: Server, hello: Repository, tmp_path: Path
) -> None:
    old, new = hello.app, f"{hello.app}-x"[:30].rstrip("-")
    server.ssh(f"apps:rename {old} {new}", check=True)
    server.stop()
    server.start()
    for words in (("push", "deploy", "main"), ("fetch", "deploy")):
        refused = hello.git(*words, check=False)
        assert refused.returncode != 0
        assert f"app {old} is called {new} now" in refused.stderr
        assert f"git remote set-url deploy deploy:{new}" in refused.stderr
    assert server.ssh(f"logs {old}").returncode == 20
    assert old not in server.ssh("apps:list", check=True).stdout.split()
    server.ssh(f"apps:rename {new} {old}", check=True)
    assert hello.git("fetch", "deploy").returncode == 0


def test_what_was_pushed_can_be_cloned_and_fetched(
    server: Server, hello: Repository, tmp_path: Path
) -> None:
    cloned = server.git(tmp_path, "clone", "-q", f"deploy@deploy:{hello.app}.git", "clone")
    assert cloned.returncode == 0, cloned.stderr
    clone = tmp_path / "clone"
    assert (clone / "VERSION").read_text() == "1\n"
    assert server.git(clone, "rev-parse", "HEAD").stdout.strip() == hello.head

    hello.write("VERSION", "2\n")
    newer = hello.commit()
    hello.push(check=True)
    assert server.git(clone, "pull", "-q").returncode == 0
    assert server.git(clone, "rev-parse", "HEAD").stdout.strip() == newer
    assert server.git(clone, "fsck", "--strict").returncode == 0
    unknown = server.git(tmp_path, "clone", "-q", "deploy@deploy:nobody-here", "nothing")
    assert unknown.returncode == 128
    assert "app nobody-here does not exist" in unknown.stderr


def test_a_shallow_clone_of_a_ci_job_may_push(
    server: Server, repo: MakeRepository, tmp_path: Path
) -> None:
    origin = repo("hello")
    for number in range(3):
        origin.write("README", f"{number}\n")
        origin.commit(f"Commit {number}")
    url = f"file://{origin.path}"
    for number, options in ((1, []), (2, ["--force"])):
        origin.write("VERSION", f"{number}\n")
        origin.commit("The next one")
        clone = tmp_path / f"job-{number}"
        server.git(tmp_path, "clone", "-q", "--depth=1", url, str(clone), check=True)
        assert len(server.git(clone, "rev-list", "HEAD").stdout.split()) == 1
        where = f"deploy@deploy:{origin.app}"
        pushed = server.git(clone, "push", *options, where, "HEAD:main")
        assert pushed.returncode == 0, pushed.stderr
        assert origin.remote_main == origin.head
        assert server.get(origin.app).body == f"hello from version {number}\n"
    # The history that the jobs did not have comes with the next push of somebody who has it.
    origin.write("VERSION", "3\n")
    origin.commit()
    origin.push(check=True)
    whole = server.git(tmp_path, "clone", "-q", f"deploy@deploy:{origin.app}", "whole")
    assert whole.returncode == 0, whole.stderr
    assert server.get(origin.app).body == "hello from version 3\n"


def test_an_app_cannot_take_the_address_of_another_ones_domain_regression(
    server: Server, hello: Repository, repo: MakeRepository
) -> None:
    """Nobody can add such a domain any more, but an older server has let it in."""
    brand = f"{hello.app}-brand"
    with closing(sqlite3.connect(server.home / "pushdeploy.sqlite3")) as database, database:
        row = "INSERT INTO domains (host, app_id) SELECT ?, id FROM apps WHERE name = ?"
        database.execute(row, (f"{brand}.{DOMAIN}", hello.app))
    server.ssh(f"domains:add {hello.app} {hello.app}.example.com", check=True)
    thief = repo("hello", app=brand)
    refused = thief.push()
    assert refused.returncode == 128
    assert f"{brand}.{DOMAIN} is a domain of {hello.app} already" in refused.stderr
    assert server.ssh(f"apps:exists {brand}").returncode == 20
    assert server.get(brand).body == "hello from version 1\n"


def test_a_diverged_push_is_refused_and_a_forced_one_deploys(
    server: Server, hello: Repository
) -> None:
    hello.git("reset", "-q", "--hard", "HEAD~1")
    hello.write("VERSION", "2\n")
    mine = hello.commit("Another way")
    refused = hello.push()
    assert refused.returncode == 1
    assert "[rejected]" in refused.stderr
    forced = hello.push("--force", "main")
    assert forced.returncode == 0, forced.stderr
    assert hello.remote_main == mine
    assert server.get(hello.app).body == "hello from version 2\n"


def test_a_dry_run_changes_nothing(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    dry = repository.push("--dry-run", "main")
    assert dry.returncode == 0, dry.stderr
    assert "[new branch]" in dry.stderr
    assert server.ssh(f"apps:exists {repository.app}").returncode == 20


def test_an_atomic_push_is_all_or_nothing(server: Server, hello: Repository) -> None:
    live = hello.head
    hello.write("Procfile", "no Procfile\n")
    hello.commit()
    failed = hello.push("--atomic", "main", "main:feature")
    assert failed.returncode == 1
    assert "atomic" in failed.stderr
    assert refs(hello)["refs/heads/main"] == live
    assert "refs/heads/feature" not in refs(hello)

    hello.git("reset", "-q", "--hard", live)
    hello.write("VERSION", "2\n")
    good = hello.commit()
    together = hello.push("--atomic", "main", "main:feature")
    assert together.returncode == 0, together.stderr
    assert refs(hello)["refs/heads/main"] == refs(hello)["refs/heads/feature"] == good


def test_a_push_option_is_read_and_said_to_mean_nothing(server: Server, hello: Repository) -> None:
    hello.write("VERSION", "2\n")
    hello.commit()
    pushed = hello.push("-o", "ci.skip", "main")
    assert pushed.returncode == 0, pushed.stderr
    assert "push option ci.skip has no meaning here" in pushed.stderr
    assert server.get(hello.app).body == "hello from version 2\n"


def test_names_that_are_no_apps_are_refused(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    for name in ("../../etc", "Shop", "a/b", "x" * 40, "'quoted'"):
        refused = repository.git("push", f"ssh://deploy@deploy/{name}", "main", check=False)
        assert refused.returncode == 128, name
        assert "is not an app name" in refused.stderr


def test_two_apps_are_deployed_side_by_side(server: Server, repo: MakeRepository) -> None:
    repositories = [repo("hello"), repo("echo"), repo("journal")]
    pushes: list[Running] = [repository.start_push() for repository in repositories]
    for push in pushes:
        assert push.end() == 0, push.said
        assert "waiting" not in push.said
    assert [server.get(repository.app).status for repository in repositories] == [200] * 3
