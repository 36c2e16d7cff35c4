"""The machine goes down and comes up: apps are back with the right addresses, by themselves."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.conftest import MakeRepository, MakeServer
from tests.stories.harness import Server, wait_until
from tests.stories.leftovers import stack_image, stop_nginx

pytestmark = pytest.mark.docker

SLEEP = "sleep 54321.5"
"""So that it is told from every other process of the machine."""


@pytest.fixture(scope="module")
def machine(make_server: MakeServer) -> Iterator[Server]:
    server = make_server()
    yield server
    server.close()


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


def test_after_a_reboot_every_app_answers_as_itself(machine: Server, repo: MakeRepository) -> None:
    first, second = repo("hello", "first", on=machine), repo("journal", "second", on=machine)
    machine.ssh("apps:create second", check=True)
    machine.ssh("disks:attach second data /data", check=True)
    first.push(check=True)
    second.push(check=True)
    [one] = machine.containers("pushdeploy.app=first")
    [two] = machine.containers("pushdeploy.app=second")
    ledgers = machine.ledger("first"), machine.ledger("second")

    machine.kill()
    stop_nginx(machine.home)
    docker("stop", one, two)
    docker("start", two, one)  # in another order: each may have the other's address now
    machine.start()

    wait_until(lambda: machine.get("first").status == 200, 20, machine.log)
    wait_until(lambda: machine.get("second").status == 200, 20, machine.log)
    assert machine.get("first").body == "hello from version 1\n"
    assert machine.get("second", "/journal").body == "release v1\n"
    assert (machine.ledger("first"), machine.ledger("second")) == ledgers


def test_a_dockerfile_build_ends_with_the_server_that_began_it_regression(
    machine: Server, repo: MakeRepository
) -> None:
    repository = repo("hello", "slow", on=machine)
    repository.write(
        "Dockerfile", f"FROM {stack_image()}\nRUN echo it is very slow && {SLEEP}\nCMD true\n"
    )
    repository.commit()
    push = repository.start_push()
    push.wait_for("it is very slow")
    wait_until(lambda: runs(SLEEP), 20, lambda: push.said)

    machine.kill()

    assert push.end() != 0
    wait_until(lambda: not runs(SLEEP), 20, lambda: "the build goes on and on")
    machine.start()
    assert machine.containers("pushdeploy.app=slow") == []
    assert machine.json("releases slow") == []
