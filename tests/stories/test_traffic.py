"""No request fails in redeploys, for clients that keep their connection and clients that do not."""

import threading

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Answer, Server, wait_until
from tests.stories.traffic import loaded

pytestmark = pytest.mark.docker

SWITCHES = 10


def test_no_request_fails_in_ten_redeploys(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    repository.push(check=True)
    with loaded(server, repository.app) as load:
        for number in range(2, 2 + SWITCHES):
            repository.write("VERSION", f"{number}\n")
            repository.commit()
            repository.push(check=True)
            assert server.get(repository.app).body == f"hello from version {number}\n"

    assert load.lost == []
    assert load.sent > 10 * SWITCHES


def test_no_request_fails_while_processes_are_scaled_and_restarted(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.push(check=True)
    with loaded(server, repository.app, slow=False) as load:
        for command in ("ps:scale {} web=3", "ps:restart {}", "ps:scale {} web=1"):
            server.ssh(command.format(repository.app), check=True)

    assert load.lost == []


def test_a_request_that_outlasts_the_drain_time_is_asked_again_of_the_new_version(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.push(check=True)
    server.ssh(f"apps:set {repository.app} drain=1s stop-grace=1s", check=True)
    answers: list[Answer] = []
    patient = threading.Thread(target=lambda: answers.append(server.get(repository.app, "/held?1")))
    patient.start()
    wait_until(
        lambda: "a request is held" in server.ssh(f"logs {repository.app}").stdout, 60, server.log
    )
    repository.write("VERSION", "2\n")
    repository.commit()

    push = repository.push(check=True)

    patient.join(60)
    assert "1 connection was still open to the former tasks after 1.00s" in push.stderr
    assert (answers[0].status, answers[0].body) == (200, "hello from version 2\n")
