"""Processes that end when nobody has told them to: while traffic moves, just after, at any time."""

import subprocess
import threading
from pathlib import Path

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Answer, Repository, Server, wait_until
from tests.stories.means import run_checked
from tests.stories.tally import Tally
from tests.stories.traffic import visiting

pytestmark = pytest.mark.docker


def version_runs(server: Server, app: str, version: int) -> str:
    """The container of a version's web process."""
    labels = f"pushdeploy.app={app}", f"pushdeploy.release={version}", "pushdeploy.type=web"
    found = server.containers(*labels)
    assert len(found) == 1, found
    return found[0]


def kill_processes(container: str) -> None:
    """From inside: for the engine its command has ended, and it starts it anew."""
    subprocess.run(
        ["docker", "exec", container, "sh", "-c", "kill -9 -1"], check=False, capture_output=True
    )


def next_version(repository: Repository) -> str:
    repository.write("VERSION", "2\n")
    return repository.commit("The second version")


@pytest.mark.parametrize("way", ["killed by hand", "its process ends"])
def test_a_new_version_that_ends_as_traffic_moves_is_not_live(
    server: Server, repo: MakeRepository, way: str
) -> None:
    hello = repo("hello")
    first = hello.head
    hello.push(check=True)
    next_version(hello)
    answers: list[Answer] = []
    slow = threading.Thread(target=lambda: answers.append(server.get(hello.app, "/slow?8")))
    slow.start()

    # The old version is waited for while it answers; the new one has traffic meanwhile.
    push = hello.start_push()
    push.wait_for("Switching traffic")
    wait_until(lambda: "version 2" in server.get(hello.app).body, 20, lambda: push.said)
    container = version_runs(server, hello.app, 2)
    if way == "killed by hand":
        run_checked(["docker", "kill", container], cwd=Path("/"))
    else:
        kill_processes(container)

    assert push.end() != 0, push.said
    assert "ended when traffic went to it: exit code 137 (SIGKILL)" in push.said
    assert "v1 (" in push.said
    slow.join(60)
    assert [answer.status for answer in answers] == [200]
    assert server.get(hello.app).body == "hello from version 1\n"
    assert hello.remote_main == first
    assert server.ledger(hello.app) == [(1, "live", "deploy"), (2, "failed", "deploy")]


def test_a_process_that_is_slow_to_come_back_is_waited_for_regression(
    server: Server, repo: MakeRepository
) -> None:
    hello = repo("hello")
    hello.write("Procfile", "web: sleep 2; python web.py\n")
    hello.commit()
    hello.push(check=True)
    container = version_runs(server, hello.app, 1)

    kill_processes(container)
    with visiting(server, hello.app) as visits:
        wait_until(
            lambda: "hello from version 1\n" in visits.bodies, 60, lambda: str(visits.lost[-3:])
        )
    assert version_runs(server, hello.app, 1) == container


def test_one_of_two_that_ends_gets_no_requests_until_it_is_back(
    server: Server, repo: MakeRepository
) -> None:
    hello = repo("hello")
    hello.push(check=True)
    server.ssh(f"ps:scale {hello.app} web=2", check=True)
    tasks = {str(task["process"]): task for task in server.json(f"ps {hello.app}")}

    run_checked(["docker", "kill", str(tasks["web.2"]["container"])], cwd=Path("/"))

    def both() -> bool:
        dynos = {server.get(hello.app, "/environment").body for _ in range(8)}
        return len(dynos) == 2

    wait_until(both, 60, lambda: server.ssh(f"ps {hello.app}").stdout)
    now = {str(task["process"]): task["container"] for task in server.json(f"ps {hello.app}")}
    assert now["web.1"] == tasks["web.1"]["container"]
    assert now["web.2"] != tasks["web.2"]["container"]


def test_an_only_writer_that_ends_as_traffic_moves_is_started_again(
    server: Server, tmp_path: Path
) -> None:
    tally = Tally.live(server, tmp_path / "tally", "tally-deaths")
    tally.add("before")
    version = tally.change("add")
    push = tally.repository.start_push()
    push.wait_for("Switching traffic")

    run_checked(["docker", "kill", version_runs(server, tally.app, 2)], cwd=Path("/"))

    assert push.end() == 0, push.said
    wait_until(lambda: server.get(tally.app).status == 200, 60, lambda: push.said)
    assert (tally.version, "before" in tally.notes) == (version, True)
    assert server.ledger(tally.app)[-1] == (2, "live", "deploy")


def test_an_only_writer_that_did_not_start_is_tried_again_regression(
    server: Server, repo: MakeRepository
) -> None:
    """After a restart, and after a failed release: nobody has to type anything."""
    hello = repo("hello")
    hello.write("Procfile", 'web: [ ! -e "$DISK_PATH/refuse" ] && exec python web.py\n')
    hello.commit()
    server.ssh(f"apps:create {hello.app}", check=True)
    server.ssh(f"disks:attach {hello.app} data /data", check=True)
    hello.push(check=True)
    refuse = server.disk(hello.app) / "refuse"

    def serves_again() -> None:
        refuse.unlink()
        wait_until(
            lambda: server.get(hello.app).status == 200, 60, lambda: server.ssh("apps:list").stdout
        )

    refuse.touch()
    restarted = server.ssh(f"ps:restart {hello.app}")
    assert restarted.returncode == 1
    assert "it is tried again by itself" in restarted.stderr
    serves_again()

    refuse.touch()
    next_version(hello)
    pushed = hello.push()
    assert pushed.returncode == 1
    assert "it is tried again by itself" in pushed.stderr
    serves_again()
    assert server.get(hello.app).body.strip() != ""


ABORTS = (
    'web: python -c "import os, threading; threading.Timer(2, os.abort).start();'
    " exec(open('web.py').read())\"\n"
)


def test_a_release_whose_process_does_not_stay_up_says_so_everywhere(
    server: Server, repo: MakeRepository
) -> None:
    hello = repo("hello")
    app = hello.app
    hello.write("Procfile", ABORTS)
    hello.commit()
    assert hello.push().returncode == 0
    why = "web.1 ended with exit code 134 (SIGABRT)"

    wait_until(lambda: why in server.ssh(f"ps {app}").stderr, 60, server.log)
    [task] = server.json(f"ps {app}")
    last = task["last_exit"]
    assert isinstance(last, dict)
    assert (last["exit_code"], last["signal"], last["out_of_memory"]) == (134, "SIGABRT", False)
    assert int(str(task["restarts"])) >= 1
    assert why in server.ssh(f"releases {app}").stdout
    assert why in str(server.record(f"apps:info {app}")["trouble"])

    next_version(hello)
    pushed = hello.push()
    assert pushed.returncode == 0
    assert f"{why}" in pushed.stderr
    assert "after v2 went live" in pushed.stderr
    assert f"releases:rollback {app}" in pushed.stderr

    server.ssh(f"apps:set {app} watch=1s", check=True)
    hello.write("Procfile", "web: python web.py\n")
    hello.commit()
    mended = hello.push()
    assert "they stay up" in mended.stderr
    assert not server.record(f"apps:info {app}")["trouble"]
