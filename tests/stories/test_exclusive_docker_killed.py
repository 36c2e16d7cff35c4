"""The Docker engine is killed in the middle of an exclusive cut-over."""

from pathlib import Path

import pytest

from tests.stories.conftest import MakeServer
from tests.stories.second_docker import Dockerd, dockerfile
from tests.stories.tally import HELD_SECONDS, Clients, Tally

pytestmark = [pytest.mark.docker, pytest.mark.slow]


def test_a_docker_killed_in_a_migration_comes_back_to_the_data_as_it_was(
    dockerd: Dockerd, make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server(docker_host=dockerd.host, hold_seconds=str(HELD_SECONDS))
    tally = Tally.live(server, tmp_path / "tally", "tally", Dockerfile=dockerfile())
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
