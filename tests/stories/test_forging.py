"""A container that forges frames and packets deceives nobody, and by default it cannot even try."""

import json
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import APPS, Repository, Server, wait_until
from tests.stories.leftovers import stack_image

pytestmark = pytest.mark.docker

ORDINARY = 0b101_1111_1011
"""CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE."""

NET_RAW, MKNOD = 1 << 13, 1 << 27


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    name = "pushdeploy-story/forgers-base:latest"
    subprocess.run(["docker", "tag", stack_image(), name], check=True)
    yield name
    subprocess.run(
        ["docker", "rmi", "--force", "--no-prune", name], check=True, capture_output=True
    )


@pytest.fixture(scope="module")
def forger(
    shared_server: Server, base: str, tmp_path_factory: pytest.TempPathFactory
) -> Repository:
    """An app of somebody else's image, as root, as it is by default."""
    path = tmp_path_factory.mktemp("forger") / "forger"
    repository = Repository.create(shared_server, APPS / "forger", path, "forger")
    shared_server.ssh("apps:create forger", check=True)
    shared_server.ssh(f"config:set forger BUILD_ENV=BASE BASE={base}", check=True)
    repository.push(check=True)
    return repository


def powers(server: Server, app: str) -> int:
    shown = server.ssh(f"run {app} 'grep CapBnd /proc/self/status'", check=True).stdout
    return int(shown.split()[1], 16)


def network_of(server: Server, app: str) -> tuple[str, dict[str, str]]:
    """The name of its web task's network, and what Docker says of its place there."""
    [task] = server.containers(f"pushdeploy.app={app}", "pushdeploy.role=task")
    shown = subprocess.run(
        ["docker", "inspect", "--format={{json .NetworkSettings.Networks}}", task],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    [(name, place)] = json.loads(shown).items()
    return name, place


def test_root_of_a_dockerfile_has_what_is_granted_and_a_slug_of_ours_nothing(
    server: Server, repo: MakeRepository, forger: Repository
) -> None:
    app = forger.app
    assert powers(server, app) == ORDINARY
    server.ssh(f"apps:set {app} capabilities=cap_net_raw,MKNOD,chown", check=True)
    assert powers(server, app) == ORDINARY | NET_RAW | MKNOD
    server.ssh(f"apps:set {app} capabilities=", check=True)
    assert powers(server, app) == ORDINARY
    hello = repo("hello")
    hello.push(check=True)
    assert powers(server, hello.app) == 0


def test_what_would_be_the_machine_itself_is_refused_and_nothing_changes(
    server: Server, forger: Repository
) -> None:
    for name in ("SYS_ADMIN", "cap_sys_module", "NET_RAW,SYS_PTRACE,DAC_READ_SEARCH"):
        refused = server.ssh(f"apps:set {forger.app} capabilities={name}")
        assert refused.returncode == 1
        assert "whoever has it has the machine" in refused.stderr
    unknown = server.ssh(f"apps:set {forger.app} capabilities=NET_ROW")
    assert "there is no capability 'NET_ROW'" in unknown.stderr
    assert server.record(f"apps:set {forger.app}")["capabilities"] in {"", None}


def test_forged_frames_and_addresses_bring_nobody_elses_requests(
    server: Server, repo: MakeRepository, forger: Repository
) -> None:
    victim = repo("hello")
    victim.push(check=True)
    server.ssh(f"apps:set {forger.app} capabilities=NET_RAW", check=True)
    server.ssh(f"ps:restart {forger.app}", check=True)
    theirs, place = network_of(server, victim.app)
    own, _ = network_of(server, forger.app)
    assert own != theirs

    with socket.create_server(("::", 0), family=socket.AF_INET6) as host:
        words = [place["IPAddress"], place["MacAddress"], str(host.getsockname()[1])]
        assert server.get(forger.app, method="POST", body=" ".join(words)).status == 200
        wait_until(
            lambda: "forging" in server.ssh(f"logs {forger.app}").stdout, 60, lambda: "it does not"
        )
        for _ in range(60):
            assert server.get(victim.app).body == "hello from version 1\n"
        assert server.get(forger.app).body == ""
