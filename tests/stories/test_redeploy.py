"""A new version: it answers, the old one is retired, and the ledger tells who did what and when."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server

pytestmark = pytest.mark.docker


def test_a_redeploy_replaces_the_old_version_and_writes_it_down(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    first = repository.head
    repository.push(check=True)
    server.ssh(f"ps:scale {repository.app} web=2 worker=1", check=True)
    repository.write("VERSION", "2\n")
    second = repository.commit("The second version")

    result = repository.push()

    assert result.returncode == 0, result.stderr
    assert f"{first[:7]}..{second[:7]}  main -> main" in result.stderr
    assert "Starting web.1, web.2, worker.1" in result.stderr
    assert "Retiring web.1 of v1, web.2 of v1, worker.1 of v1" in result.stderr
    assert server.get(repository.app).body == "hello from version 2\n"
    assert repository.remote_main == second

    newest, oldest = server.json(f"releases {repository.app}")
    assert (newest["version"], newest["status"], newest["reason"]) == (2, "live", "deploy")
    assert (oldest["version"], oldest["status"], oldest["reason"]) == (1, "retired", "deploy")
    assert [newest["commit"], oldest["commit"]] == [second, first]
    assert newest["by"] == oldest["by"] == "ada"
    assert str(newest["slug"]).startswith("sha256:")
    assert newest["slug"] != oldest["slug"]
    made = datetime.fromisoformat(str(newest["created_at"]))
    assert timedelta() <= datetime.now(UTC) - made < timedelta(minutes=5)

    tasks = server.json(f"ps {repository.app}")
    shown = sorted((str(task["process"]), task["state"], task["version"]) for task in tasks)
    assert shown == [("web.1", "up", 2), ("web.2", "up", 2), ("worker.1", "up", 2)]
    assert len(server.containers(f"pushdeploy.app={repository.app}")) == 3

    logs = server.ssh(f"logs {repository.app}", check=True).stdout
    assert logs.index("app[worker.1]: worker of version 1 is up") < logs.index(
        "app[worker.1]: worker of version 2 is up"
    )
    only_web = server.ssh(f"logs {repository.app} -p web.2", check=True).stdout
    assert "app[web.2]: version 1 listens" in only_web
    assert "worker" not in only_web

    said = server.ssh(f"releases:output {repository.app} v2", check=True).stdout
    assert "-----> Switching traffic" in said
    assert f"{repository.app} v2 is live" in said


def test_rebuilding_the_live_commit_is_a_release_that_reuses_its_slug(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.push(check=True)

    again = repository.push()
    rebuilt = server.ssh(f"ps:rebuild {repository.app}")

    assert (again.returncode, "Everything up-to-date" in again.stderr) == (0, True)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "Reusing slug" in rebuilt.stdout
    assert server.ledger(repository.app) == [(1, "retired", "deploy"), (2, "live", "deploy")]
    new, old = server.json(f"releases {repository.app}")
    assert new["slug"] == old["slug"]


def test_a_revert_to_an_older_tree_reuses_its_slug(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    repository.push(check=True)
    repository.write("VERSION", "2\n")
    repository.commit("A mistake")
    repository.push(check=True)
    repository.git("revert", "--no-edit", "HEAD")

    result = repository.push()

    assert result.returncode == 0, result.stderr
    assert "Reusing slug" in result.stderr
    assert server.get(repository.app).body == "hello from version 1\n"
    slugs = [row["slug"] for row in server.json(f"releases {repository.app}")]
    assert slugs[0] == slugs[2] != slugs[1]
