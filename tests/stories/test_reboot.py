"""The machine goes down and comes up: apps are back with the right addresses, by themselves."""

import subprocess
from pathlib import Path

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server, wait_until
from tests.stories.leftovers import stack_image, stop_nginx

pytestmark = pytest.mark.docker

SLEEP = "sleep 54321.5"
"""So that it is told from every other process of the machine."""


def docker(*words: str) -> None:
    subprocess.run(["docker", *words], check=True, capture_output=True)


def runs(command: str) -> bool:
    """Whether a process of the machine has exactly this command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if " ".join(words).strip() == command:
            return True
    return False


def test_after_a_reboot_every_app_answers_as_itself(mortal: Server, repo: MakeRepository) -> None:
    first, second = repo("hello", "first", on=mortal), repo("journal", "second", on=mortal)
    mortal.ssh("apps:create second", check=True)
    mortal.ssh("disks:attach second data /data", check=True)
    first.push(check=True)
    second.push(check=True)
    [one] = mortal.containers("pushdeploy.app=first")
    [two] = mortal.containers("pushdeploy.app=second")
    ledgers = mortal.ledger("first"), mortal.ledger("second")

    mortal.kill()
    stop_nginx(mortal.home)
    docker("stop", one, two)
    docker("start", two, one)  # in another order: each may have the other's address now
    mortal.start()

    wait_until(lambda: mortal.get("first").status == 200, 20, mortal.log)
    wait_until(lambda: mortal.get("second").status == 200, 20, mortal.log)
    assert mortal.get("first").body == "hello from version 1\n"
    assert mortal.get("second", "/journal").body == "release v1\n"
    assert (mortal.ledger("first"), mortal.ledger("second")) == ledgers


def test_a_dockerfile_build_ends_with_the_server_that_began_it_regression(
    mortal: Server, repo: MakeRepository
) -> None:
    repository = repo("hello", "slow", on=mortal)
    repository.write(
        "Dockerfile", f"FROM {stack_image()}\nRUN echo it is very slow && {SLEEP}\nCMD true\n"
    )
    repository.commit()
    push = repository.start_push()
    push.wait_for("it is very slow")
    wait_until(lambda: runs(SLEEP), 20, lambda: push.said)

    mortal.kill()

    assert push.end() != 0
    wait_until(lambda: not runs(SLEEP), 20, lambda: "the build goes on and on")
    mortal.start()
    assert mortal.containers("pushdeploy.app=slow") == []
    assert mortal.json("releases slow") == []
