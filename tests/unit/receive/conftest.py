"""A git server and clients for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService
from tests.unit.receive.client import Client
from tests.unit.receive.host import Host, OpenGate, Receiver


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    return Repositories(tmp_path / "repositories")


@pytest.fixture
def receiver(repositories: Repositories) -> Receiver:
    return Receiver(repositories)


@pytest.fixture
def limits() -> PackLimits:
    return PackLimits()


@pytest.fixture
def service(repositories: Repositories, receiver: Receiver, limits: PackLimits) -> GitService:
    return GitService(repositories, receiver, limits, OpenGate())


@pytest.fixture
def host(tmp_path: Path, service: GitService) -> Iterator[Host]:
    served = Host(tmp_path, service)
    yield served
    served.close()


@pytest.fixture
def new_client(tmp_path: Path, host: Host) -> Callable[[str], Client]:
    def make(name: str) -> Client:
        folder = tmp_path / name
        folder.mkdir()
        client = Client(folder, host.address)
        client.git("init", "-q", "-b", "main")
        client.git("remote", "add", "deploy", "deploy@host:shop")
        return client

    return make


@pytest.fixture
def client(new_client: Callable[[str], Client]) -> Client:
    return new_client("work")
