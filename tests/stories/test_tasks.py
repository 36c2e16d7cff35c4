"""What runs follows what is wanted: whatever happens to a task, the app comes back by itself."""

import subprocess

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import APPS, Repository, Server, wait_until

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def live(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An app that is live as v1; each story leaves it so, with one web process."""
    name = "tasks"
    path = tmp_path_factory.mktemp(name) / name
    Repository.create(shared_server, APPS / "hello", path, name).push(check=True)
    return name


@pytest.fixture
def app(server: Server, live: str) -> str:
    return live


def docker(*words: str) -> None:
    subprocess.run(["docker", *words], check=True, capture_output=True)


def only_container(server: Server, app: str) -> str:
    [container] = server.containers(f"pushdeploy.app={app}", "pushdeploy.role=task")
    return container


def starts(server: Server, app: str) -> int:
    """How often the web process has said that it listens."""
    logs = server.ssh(f"logs {app} -n 1000", check=True).stdout
    return logs.count("app[web.1]: version 1 listens")


def wait_until_it_answers(server: Server, app: str) -> None:
    wait_until(lambda: server.get(app).status == 200, 20, lambda: f"{app} does not come back")


def test_a_process_that_dies_comes_back_by_itself(server: Server, app: str) -> None:
    container = only_container(server, app)
    said = starts(server, app)

    docker("kill", "--signal=KILL", container)

    wait_until_it_answers(server, app)
    wait_until(
        lambda: [task["state"] for task in server.json(f"ps {app}")] == ["up"],
        20,
        lambda: server.ssh(f"ps {app}").stdout,
    )
    assert server.ledger(app) == [(1, "live", "deploy")]
    assert starts(server, app) == said + 1


def test_a_container_that_is_removed_by_hand_is_replaced(server: Server, app: str) -> None:
    container = only_container(server, app)

    docker("rm", "--force", container)

    wait_until_it_answers(server, app)
    assert only_container(server, app) != container
    assert server.ledger(app) == [(1, "live", "deploy")]


def test_a_container_that_is_stopped_by_hand_is_replaced(server: Server, app: str) -> None:
    container = only_container(server, app)

    docker("stop", container)

    wait_until_it_answers(server, app)
    wait_until(
        lambda: only_container_is_new(server, app, container), 20, lambda: "the old one is there"
    )


def only_container_is_new(server: Server, app: str, old: str) -> bool:
    found = server.containers(f"pushdeploy.app={app}", "pushdeploy.role=task")
    return len(found) == 1 and found[0] != old


def test_scaling_starts_and_stops_processes_without_a_release(server: Server, app: str) -> None:
    more = server.ssh(f"ps:scale {app} web=3 worker=1")
    assert more.returncode == 0, more.stderr
    assert more.stdout.splitlines()[-1] == "web=3 worker=1"
    shown = sorted(str(task["process"]) for task in server.json(f"ps {app}"))
    assert shown == ["web.1", "web.2", "web.3", "worker.1"]
    dynos = {server.get(app, "/environment").body for _ in range(12)}
    assert len(dynos) == 3

    fewer = server.ssh(f"ps:scale {app} web-2 worker=0")
    assert fewer.returncode == 0, fewer.stderr
    assert [str(task["process"]) for task in server.json(f"ps {app}")] == ["web.1"]
    assert server.ssh(f"ps:scale {app}").stdout == "web=1 worker=0\n"
    assert server.ledger(app) == [(1, "live", "deploy")]
    unknown = server.ssh(f"ps:scale {app} clock=1")
    assert (unknown.returncode, "clock" in unknown.stderr) == (1, True)


def test_restart_replaces_one_type_and_leaves_the_others(server: Server, app: str) -> None:
    server.ssh(f"ps:scale {app} worker=1", check=True)
    before = {str(task["process"]): task["container"] for task in server.json(f"ps {app}")}

    server.ssh(f"ps:restart {app} worker", check=True)

    after = {str(task["process"]): task["container"] for task in server.json(f"ps {app}")}
    assert after["web.1"] == before["web.1"]
    assert after["worker.1"] != before["worker.1"]
    server.ssh(f"ps:restart {app} web.1", check=True)
    assert server.json(f"ps {app}")[-1]["container"] != before["web.1"]
    nothing = server.ssh(f"ps:restart {app} clock")
    assert (nothing.returncode, "runs no clock" in nothing.stderr) == (1, True)
    server.ssh(f"ps:scale {app} worker=0", check=True)


def test_a_stopped_app_tells_its_visitors_and_starts_again(
    server: Server, repo: MakeRepository
) -> None:
    hello = repo("hello")
    app = hello.app
    hello.push(check=True)
    server.ssh(f"ps:stop {app}", check=True)
    page = server.get(app)
    assert page.status == 503
    assert "stopped" in page.body
    assert server.containers(f"pushdeploy.app={app}") == []
    assert f"{app} is stopped: ps:start {app}" in server.ssh(f"ps {app}").stderr

    hello.write("VERSION", "2\n")
    hello.commit()
    pushed = hello.push()
    assert pushed.returncode == 0, pushed.stderr
    assert server.get(app).status == 503

    started = server.ssh(f"ps:start {app}")
    assert started.returncode == 0, started.stderr
    assert server.get(app).body == "hello from version 2\n"
