"""A release command that somebody stops from outside is no success, whatever its child says."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server, wait_until
from tests.stories.tally import Tally

pytestmark = pytest.mark.docker

TWO_STEPS = "release: sh one.sh && sh two.sh\nweb: python web.py\n"
WELL_BEHAVED = "trap 'exit 0' TERM INT\n{work} &\nwait\n"
"""Told to stop, it ends at once and says that all is well."""

DOCKERS = [
    (["stop"], "exit code 143: it was told to stop (SIGTERM)"),
    (["kill", "--signal=INT"], "exit code 130: it was told to stop (SIGINT)"),
]


@pytest.fixture(scope="module")
def live_tally(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Tally:
    return Tally.live(shared_server, tmp_path_factory.mktemp("stopped") / "stopped", "stopped")


@pytest.fixture
def tally(live_tally: Tally) -> Iterator[Tally]:
    with live_tally.at_rest():
        yield live_tally


@pytest.mark.parametrize(("told", "reason"), DOCKERS)
def test_stopped_while_requests_are_held_it_leaves_data_and_version(
    tally: Tally, told: list[str], reason: str
) -> None:
    old, live = tally.version, tally.repository.remote_main
    tally.add("before")
    tally.change(
        "delete",
        Procfile=TWO_STEPS,
        **{"one.sh": WELL_BEHAVED.format(work="python release.py"), "two.sh": "echo two ran\n"},
    )
    tally.gate()
    push = tally.repository.start_push()
    tally.at_gate()

    [command] = tally.containers("once")
    subprocess.run(["docker", *told, command], check=True, capture_output=True)

    assert push.end() != 0
    assert reason in push.said
    assert "two ran" not in push.said
    assert tally.repository.remote_main == live
    tally.assert_serves(old, ["before"])
    assert tally.last()["status"] == "failed"


@pytest.mark.parametrize(("told", "reason"), DOCKERS)
def test_stopped_beside_the_old_version_it_leaves_that_one_serving(
    server: Server, repo: MakeRepository, told: list[str], reason: str
) -> None:
    repository = repo("hello")
    repository.push(check=True)
    app, live = repository.app, repository.head
    repository.write("VERSION", "2\n")
    repository.write("Procfile", TWO_STEPS)
    repository.write("one.sh", WELL_BEHAVED.format(work="echo at work; sleep 600"))
    repository.write("two.sh", "echo two ran\n")
    repository.commit()
    push = repository.start_push()
    push.wait_for("at work")

    [command] = server.containers(f"pushdeploy.app={app}", "pushdeploy.role=once")
    subprocess.run(["docker", *told, command], check=True, capture_output=True)

    assert push.end() != 0
    assert reason in push.said
    assert "two ran" not in push.said
    assert (repository.remote_main, server.get(app).body) == (live, "hello from version 1\n")
    assert server.ledger(app) == [(1, "live", "deploy"), (2, "failed", "deploy")]


@pytest.mark.parametrize("command", ["kill -TERM $$", "kill -INT $$; true", "kill -TERM 0; true"])
def test_a_release_command_that_stops_itself_does_not_go_live(
    server: Server, repo: MakeRepository, command: str
) -> None:
    repository = repo("hello")
    repository.push(check=True)
    live = repository.head
    repository.write("Procfile", f"release: {command}\nweb: python web.py\n")
    repository.commit()

    pushed = repository.push()

    assert pushed.returncode != 0
    assert "release failed: the release command of v2 ended with exit code 1" in pushed.stderr
    assert "it was told to stop" in pushed.stderr
    assert repository.remote_main == live


def test_a_stopped_run_ends_with_143(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    repository.write("one.sh", WELL_BEHAVED.format(work="echo up; sleep 600"))
    repository.commit()
    repository.push(check=True)
    app = repository.app
    client = server.watch_ssh(f"run {app} 'sh one.sh && echo next'")
    client.wait_for("up")

    [command] = server.containers(f"pushdeploy.app={app}", "pushdeploy.role=once")
    subprocess.run(["docker", "stop", command], check=True, capture_output=True)

    assert client.end() == 143
    assert "next" not in client.said
    wait_until(
        lambda: not server.containers(f"pushdeploy.app={app}", "pushdeploy.role=once"),
        20,
        lambda: "the one-off is still there",
    )
