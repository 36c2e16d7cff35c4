"""Ctrl-C after the build: a boot is cancelled while nothing has been changed for good; from the
point of no return on, which is told, whoever goes away has only stopped watching."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Repository, Running, Server, wait_until

pytestmark = pytest.mark.docker

ONLY_WATCHING = "from here on Ctrl-C only stops watching: it goes on to its end"

SLOW_TO_LISTEN = (
    "import os, time\ntime.sleep(600 if os.environ.get('HANG', '{}') == 'yes' else 0)\n"
)


@pytest.fixture(params=["overlap", "exclusive"])
def shop(request: pytest.FixtureRequest, server: Server, repo: MakeRepository) -> Repository:
    """An app with a disk and without a release command, live in version 1."""
    repository = repo("journal")
    server.ssh(f"apps:create {repository.app}", check=True)
    server.ssh(f"disks:attach {repository.app} data /data", check=True)
    server.ssh(f"disks:set {repository.app} cutover={request.param}", check=True)
    repository.write("Procfile", "web: python web.py\n")
    hanging(repository, "no")
    repository.commit("No release command")
    repository.push(check=True)
    return repository


def hanging(repository: Repository, hangs: str) -> None:
    """A web that does not listen for ten minutes, where ``hangs`` or HANG says yes."""
    web = (repository.path / "web.py").read_text().rpartition("# the app\n")[2]
    repository.write("web.py", SLOW_TO_LISTEN.format(hangs) + "# the app\n" + web)


def assert_as_before(server: Server, repository: Repository, live: str) -> None:
    """Version 1 serves, by one task, and nothing of the second release is left."""
    app = repository.app
    wait_until(lambda: server.ledger(app)[-1][1] == "failed", 20, lambda: f"{server.ledger(app)}")
    wait_until(lambda: not busy(server, app), 20, lambda: "it goes on and on")
    assert [task["version"] for task in server.json(f"ps {app}")] == [1]
    assert len(server.containers(f"pushdeploy.app={app}")) == 1
    assert server.get(app).body == "journal of version 1\n"
    assert repository.remote_main == live
    kept = server.ssh(f"releases:output {app}").stdout
    assert "cancelled: " in kept
    assert f"releases:retry {app} starts it once more" in kept
    assert ONLY_WATCHING not in kept


def busy(server: Server, app: str) -> bool:
    return "nothing is being deployed" not in server.ssh(f"builds:cancel {app}").stderr


@pytest.mark.parametrize("leave", ["interrupt", "kill_ssh"])
def test_a_client_that_leaves_in_a_boot_without_a_release_command_cancels_it(
    server: Server, shop: Repository, leave: str
) -> None:
    live = shop.head
    hanging(shop, "yes")
    shop.commit("It never listens")
    push = shop.start_push()
    push.wait_for("Starting web.1")

    getattr(push, leave)()

    assert push.end() != 0
    assert_as_before(server, shop, live)


def test_builds_cancel_ends_such_a_boot_and_the_push_says_what_serves(
    server: Server, shop: Repository
) -> None:
    live = shop.head
    hanging(shop, "yes")
    shop.commit("It never listens")
    push = shop.start_push()
    push.wait_for("Starting web.1")

    assert "cancelled: " in server.ssh(f"builds:cancel {shop.app}", check=True).stdout

    assert push.end() == 1
    assert "cancelled: builds:cancel by ada" in push.said
    assert "v2 failed; v1 " in push.said
    assert_as_before(server, shop, live)


def test_ctrl_c_in_the_boot_of_a_config_change_keeps_the_config(
    server: Server, shop: Repository
) -> None:
    change = server.watch_ssh(f"config:set {shop.app} HANG=yes")
    change.wait_for("Starting web.1")

    change.interrupt()

    assert change.end() != 0
    assert_as_before(server, shop, shop.head)
    assert "HANG" not in server.ssh(f"config {shop.app}").stdout


def test_ctrl_c_while_traffic_is_switched_only_stops_watching(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    app = repository.app
    repository.push(check=True)
    repository.write("VERSION", "2\n")
    commit = repository.commit()
    with ThreadPoolExecutor(1) as visitor:
        slow = visitor.submit(server.get, app, "/slow?6")  # until then the old task cannot retire
        push = repository.start_push()
        push.wait_for("Switching traffic")
        assert said_before(push, ONLY_WATCHING, "Switching traffic")
        push.interrupt()
        assert push.end() != 0
        too_late = server.ssh(f"builds:cancel {app}").stderr
        assert "too late: " in too_late
    assert slow.result().status == 200
    wait_until(lambda: server.ledger(app)[-1][1] == "live", 30, lambda: f"{server.ledger(app)}")
    wait_until(lambda: repository.remote_main == commit, 10, lambda: "main has not moved")
    assert server.get(app).body == "hello from version 2\n"


def test_the_first_push_can_be_cancelled_in_its_boot_and_tried_again(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("journal")
    repository.write("Procfile", "web: python web.py\n")
    hanging(repository, "yes")
    repository.commit("It never listens")
    push = repository.start_push()
    push.wait_for("Starting web.1")

    push.interrupt()

    assert push.end() != 0
    app = repository.app
    wait_until(lambda: not busy(server, app), 20, lambda: "it goes on and on")
    assert server.ledger(app) == [(1, "failed", "deploy")]
    assert server.containers(f"pushdeploy.app={app}") == []
    server.ssh(f"config:set {app} HANG=no", check=True)
    server.ssh(f"releases:retry {app}", check=True)
    assert server.get(app).body == "journal of version 1\n"


def said_before(push: Running, one: str, other: str) -> bool:
    return push.said.index(one) < push.said.index(other)
