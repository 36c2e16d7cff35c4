"""The whole machine goes down at once, and boots: first Docker, then the server."""

from pathlib import Path

import pytest

from tests.stories.conftest import MakeServer
from tests.stories.harness import Server
from tests.stories.leftovers import kill_router, unmount_below
from tests.stories.second_docker import Dockerd, dockerfile
from tests.stories.tally import HELD_SECONDS, Clients, Tally

pytestmark = [pytest.mark.docker, pytest.mark.slow]


def power_cut(server: Server, dockerd: Dockerd) -> None:
    """Nothing is left but what is on the file system."""
    server.kill()
    dockerd.cut_power()
    kill_router(server.home)
    unmount_below(server.root)


def test_a_machine_that_loses_power_in_a_migration_boots_to_the_data_as_it_was(
    dockerd: Dockerd, make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server(docker_host=dockerd.host, hold_seconds=str(HELD_SECONDS))
    tally = Tally.live(server, tmp_path / "tally", "tally", Dockerfile=dockerfile())
    server.ssh("ps:stop tally", check=True)
    server.ssh("disks:set tally data size=24m", check=True)
    server.ssh("ps:start tally", check=True)
    old = tally.version
    tally.add("before")
    tally.change("delete")
    tally.gate()
    with Clients(tally, 3) as clients:
        clients.wait_for_answers(10)
        push = tally.repository.start_push()
        tally.at_gate()
        power_cut(server, dockerd)
        assert push.end() != 0

    dockerd.start()
    server.start()

    tally.assert_serves(old, ["before", *clients.acknowledged])
    assert tally.last()["status"] == "failed"

    power_cut(server, dockerd)
    dockerd.start()
    server.start()
    tally.add("after")
    tally.assert_serves(old, ["before", *clients.acknowledged, "after"])
    server.close()
