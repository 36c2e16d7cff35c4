"""The first push: from an empty server to an app that answers, by git and ssh alone."""

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Repository, Server

pytestmark = pytest.mark.docker


@pytest.fixture
def pushed(server: Server, repo: MakeRepository) -> Repository:
    repository = repo("hello")
    result = repository.push()
    assert result.returncode == 0, result.stderr
    return repository


def test_the_first_push_creates_the_app_and_brings_it_to_life(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    result = repository.push()
    assert result.returncode == 0, result.stderr
    assert "[new branch]      main -> main" in result.stderr
    assert f"{repository.app} v1 is live: http://{repository.app}.apps.test:" in result.stderr
    assert repository.remote_main == repository.head
    answer = server.get(repository.app)
    assert (answer.status, answer.body) == (200, "hello from version 1\n")


def test_the_app_is_listed_with_its_release(server: Server, pushed: Repository) -> None:
    assert pushed.app in server.ssh("apps:list", check=True).stdout.split()
    [release] = server.json(f"releases {pushed.app}")
    assert (release["version"], release["status"]) == (1, "live")
    assert release["commit"] == pushed.head
    assert release["by"] == "ada"


def test_what_the_app_says_is_in_its_logs(server: Server, pushed: Repository) -> None:
    said = server.ssh(f"logs {pushed.app}", check=True).stdout
    assert "app[web.1]: version 1 listens on port" in said


def test_a_second_push_replaces_the_first(server: Server, pushed: Repository) -> None:
    pushed.write("VERSION", "2\n")
    pushed.commit("The second version")
    result = pushed.push()
    assert result.returncode == 0, result.stderr
    assert server.get(pushed.app).body == "hello from version 2\n"
    versions = [release["version"] for release in server.json(f"releases {pushed.app}")]
    assert sorted(versions, key=str) == [1, 2]
    assert len(server.containers(f"pushdeploy.app={pushed.app}")) == 1


def test_pushing_the_live_commit_again_says_so(pushed: Repository) -> None:
    result = pushed.push()
    assert result.returncode == 0
    assert "Everything up-to-date" in result.stderr


def test_an_unknown_host_is_a_plain_404(server: Server) -> None:
    assert server.get("nobody-made-this").status == 404
