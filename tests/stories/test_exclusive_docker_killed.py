"""The Docker engine is killed in the middle of an exclusive cut-over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.conftest import MakeServer
from tests.stories.leftovers import stack_image
from tests.stories.second_docker import Dockerd, bring, second_docker
from tests.stories.tally import HELD_SECONDS, Clients, Tally

DOCKERFILE = """\
FROM {stack}
WORKDIR /app
COPY . .
CMD ["python", "web.py"]
"""
"""Builds on what is there: the stack's tools for building are half a gigabyte to bring along."""

pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.fixture
def stack(docker: None) -> str:
    return stack_image()


@pytest.fixture
def dockerd(docker: None, stack: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dockerd]:
    """What answers ``docker`` while the story lasts."""
    with second_docker() as dockerd:
        bring([stack], dockerd)
        monkeypatch.setenv("DOCKER_HOST", dockerd.host)
        yield dockerd


def test_a_docker_killed_in_a_migration_comes_back_to_the_data_as_it_was(
    dockerd: Dockerd, stack: str, make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server(docker_host=dockerd.host, hold_seconds=str(HELD_SECONDS))
    tally = Tally.live(
        server, tmp_path / "tally", "tally", Dockerfile=DOCKERFILE.format(stack=stack)
    )
    old = tally.version
    tally.add("before")
    tally.change("delete")
    tally.gate()
    with Clients(tally, 5) as clients:
        clients.wait_for_answers(10)
        push = tally.repository.start_push()
        tally.at_gate()
        dockerd.kill()
        assert push.end() != 0
        dockerd.start()
        clients.wait_for_answers(10)

    assert clients.lost == []
    tally.assert_serves(old, ["before", *clients.acknowledged])
    assert tally.last()["status"] == "failed"
    server.close()
