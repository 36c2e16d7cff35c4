"""What a killed server and a destroyed app leave behind is gone soon afterwards."""

import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pushdeploy.engine.docker import DockerEngine
from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server, wait_until
from tests.stories.leftovers import stack_image

pytestmark = pytest.mark.docker

SECONDS = 60


def eventually(condition: Callable[[], bool]) -> None:
    wait_until(condition, SECONDS, lambda: "it is still so")


def directories(server: Server) -> list[Path]:
    """Of docker programs that build for this server."""
    return list(Path(tempfile.gettempdir()).glob(f"pushdeploy-build-{server.instance}-*"))


def test_a_server_killed_in_a_build_leaves_nothing_after_its_next_start(
    own_server: Server, repo: MakeRepository
) -> None:
    server = own_server
    with DockerEngine(server.instance) as engine:
        if not engine.build_tool().buildkit:
            pytest.skip("no docker program here can drive BuildKit")
        slow = repo("dockerfile", on=server)
        odd_size = 3_000_000 + 512 * secrets.randbelow(100_000)
        (slow.path / "ballast").write_bytes(bytes(odd_size))
        steps = "COPY ballast /\nRUN echo it has $((1+1)) steps; sleep 600\nCMD ['true']"
        slow.write("Dockerfile", f"FROM {stack_image()}\n{steps}\n")
        slow.commit()
        sizes = range(odd_size, odd_size + 40_000)
        push = slow.start_push()
        push.wait_for("it has 2 steps")
        assert len(directories(server)) == 1

        server.kill()
        eventually(lambda: any(r.size_bytes in sizes for r in engine.build_records()))
        assert len(directories(server)) == 1, "a killed server tidies nothing up"
        server.start()

        eventually(lambda: not directories(server))
        eventually(
            lambda: not any(r.context and r.size_bytes in sizes for r in engine.build_records()),
        )
        assert server.containers() == []


def test_a_destroyed_app_leaves_no_image_and_no_cache(server: Server, repo: MakeRepository) -> None:
    repository = repo("dockerfile")
    app = repository.app
    repository.write(
        "Dockerfile", f"FROM {stack_image()}\nCOPY server.py /\nCMD python3 /server.py\n"
    )
    repository.commit()
    before = set((server.home / "cache" / "apps").glob("*"))
    repository.push()
    (cache,) = set((server.home / "cache" / "apps").iterdir()) - before
    owner = {"pushdeploy.owner": cache.name}
    with DockerEngine(server.instance) as engine:
        assert len(engine.images(owner)) == 1

        server.ssh(f"apps:destroy {app} --force", check=True)

        eventually(lambda: not cache.exists())
        eventually(lambda: engine.images(owner) == [])
