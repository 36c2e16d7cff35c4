"""Whoever goes away while it builds has cancelled it; a release command is never cut in half."""

from pathlib import Path

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Repository, Server, wait_until
from tests.stories.leftovers import stack_image

pytestmark = pytest.mark.docker

MEANWHILE_SECONDS = 60
"""What is cancelled takes ten minutes: what is over within this time has not been waited for."""

SLOW_BACKEND = """\
import time

def build_wheel(*_):
    print("the slow package is being built", flush=True)
    time.sleep(600)

def get_requires_for_build_wheel(*_):
    return []
"""


@pytest.fixture
def slow_build(server: Server, repo: MakeRepository) -> Repository:
    """An app that has never been live and whose Dockerfile takes ten minutes."""
    repository = repo("hello")
    repository.write(
        "Dockerfile",
        f"FROM {stack_image()}\nRUN echo it is very slow && sleep 600\nCMD sleep 600\n",
    )
    repository.commit("A slow build")
    return repository


@pytest.fixture
def journal(server: Server, repo: MakeRepository) -> Repository:
    repository = repo("journal")
    server.ssh(f"apps:create {repository.app}", check=True)
    server.ssh(f"disks:attach {repository.app} data /data", check=True)
    repository.push(check=True)
    return repository


def wait_until_over(server: Server, app: str) -> None:
    """Until nobody holds the app any more."""

    def free() -> bool:
        said = server.ssh(f"builds:cancel {app}").stderr
        return f"nothing is being deployed to {app}" in said or "does not exist" in said

    wait_until(free, MEANWHILE_SECONDS, lambda: "it goes on and on")


def assert_nothing_left(server: Server, app: str) -> None:
    """No container, no object in quarantine: nothing of what was cancelled.

    Build containers are removed when the push has ended already: nobody waits for that.
    """
    wait_until(
        lambda: server.containers("pushdeploy.role=build") == [],
        MEANWHILE_SECONDS,
        lambda: "a build container stays",
    )
    assert quarantined(server, app) == []


def quarantined(server: Server, app: str) -> list[Path]:
    return list((server.home / "repositories" / f"{app}.git" / "quarantine").glob("*"))


def wait_until_gone(server: Server, app: str) -> None:
    wait_until(
        lambda: server.ssh(f"apps:exists {app}").returncode == 20,
        MEANWHILE_SECONDS,
        lambda: f"{app} is still there",
    )


def wait_until_said(server: Server, app: str, text: str) -> None:
    """Until the kept output of the last release holds ``text``."""

    def kept() -> str:
        return server.ssh(f"releases:output {app}").stdout

    wait_until(lambda: text in kept(), MEANWHILE_SECONDS, kept)


def test_ctrl_c_while_a_dockerfile_builds_leaves_nothing(
    server: Server, slow_build: Repository
) -> None:
    push = slow_build.start_push()
    push.wait_for("it is very slow")

    push.interrupt()

    wait_until_over(server, slow_build.app)
    assert push.end() != 0
    wait_until_gone(server, slow_build.app)
    assert_nothing_left(server, slow_build.app)
    assert not (server.home / "repositories" / f"{slow_build.app}.git").exists()


def test_a_killed_ssh_while_dependencies_are_installed_leaves_the_old_version(
    server: Server, journal: Repository
) -> None:
    app, live = journal.app, journal.head
    journal.write("requirements.txt", "./slow\n")
    journal.write("slow/slow_backend.py", SLOW_BACKEND)
    journal.write(
        "slow/pyproject.toml",
        '[build-system]\nrequires = []\nbuild-backend = "slow_backend"\nbackend-path = ["."]\n'
        '[project]\nname = "slow"\nversion = "1"\n',
    )
    journal.commit("A package that takes ten minutes")
    push = journal.start_push()
    push.wait_for("Installing dependencies of requirements.txt")
    wait_until(lambda: server.containers("pushdeploy.role=build") != [], 60, lambda: push.said)

    push.kill_ssh()

    wait_until_over(server, app)
    assert push.end() != 0
    assert_nothing_left(server, app)
    assert journal.remote_main == live
    assert server.get(app).body == "journal of version 1\n"
    assert server.ledger(app) == [(1, "live", "deploy")]
    journal.git("reset", "-q", "--hard", "HEAD~1")
    journal.write("VERSION", "2\n")
    journal.commit("The next one")
    journal.push(check=True)
    assert server.get(app).body == "journal of version 2\n"


def test_ctrl_c_while_the_pre_build_hook_runs_ends_the_hook_too(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    hook = server.home / "hooks" / "pre-build"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f'[ "$APP" = {repository.app} ] || exit 0\ntouch "$PUSHDEPLOY_HOME/in-hook"\nsleep 600\n'
    )
    try:
        push = repository.start_push()
        wait_until((server.home / "in-hook").exists, 60, lambda: push.said)
        push.interrupt()
        wait_until_over(server, repository.app)
        assert push.end() != 0
    finally:
        hook.unlink()
    wait_until_gone(server, repository.app)


def test_builds_cancel_ends_somebody_elses_build(server: Server, slow_build: Repository) -> None:
    app = slow_build.app
    push = slow_build.start_push()
    push.wait_for("it is very slow")

    cancelled = server.ssh(f"builds:cancel {app}")

    assert cancelled.returncode == 0, cancelled.stderr
    assert f"cancelled: deploy of {slow_build.head[:7]} by ada" in cancelled.stdout
    assert push.end(MEANWHILE_SECONDS) == 1
    assert "cancelled: builds:cancel by ada" in push.said
    wait_until_gone(server, app)
    assert_nothing_left(server, app)
    assert server.ssh(f"builds:cancel {app}").returncode == 20


def test_ctrl_c_while_waiting_for_another_push_leaves_the_queue(
    server: Server, journal: Repository
) -> None:
    app = journal.app
    hold = server.disk(app) / "hold-release"
    hold.touch()
    journal.write("VERSION", "2\n")
    journal.commit()
    try:
        first = journal.start_push()
        first.wait_for("release: waiting at the gate")
        waiting = server.watch_ssh(f"ps:restart {app}")
        waiting.wait_for("waiting: deploy of")
        waiting.interrupt()
        assert waiting.end() != 0
    finally:
        hold.unlink()
    assert first.end() == 0, first.said
    wait_until_over(server, app)
    assert [task["version"] for task in server.json(f"ps {app}")] == [2]


@pytest.mark.parametrize("leave", ["interrupt", "kill_ssh"])
def test_a_release_command_that_has_begun_goes_on_without_its_client(
    server: Server, journal: Repository, leave: str
) -> None:
    app = journal.app
    hold = server.disk(app) / "hold-release"
    hold.touch()
    journal.write("VERSION", "2\n")
    commit = journal.commit()
    try:
        push = journal.start_push()
        push.wait_for("release: waiting at the gate")
        told = push.said.index("from here on Ctrl-C only stops watching: it goes on to its end")
        assert told < push.said.index("Running the release command")
        getattr(push, leave)()
        assert push.end() != 0

        too_late = server.ssh(f"builds:cancel {app}")
        assert too_late.returncode == 1
        assert f"too late: the deploy of {commit[:7]} goes on to its end" in too_late.stderr
        wait_until_said(server, app, "release: waiting at the gate")
    finally:
        hold.unlink()

    wait_until(lambda: server.ledger(app)[-1][1] == "live", 60, lambda: f"{server.ledger(app)}")
    wait_until(lambda: journal.remote_main == commit, 60, lambda: "main has not moved")
    assert server.get(app).body == "journal of version 2\n"
    wait_until_said(server, app, f"{app} v2 is live")
    kept = server.ssh(f"releases:output {app}").stdout
    assert kept.index("release of v2 begins") < kept.index("release of v2 ends")
