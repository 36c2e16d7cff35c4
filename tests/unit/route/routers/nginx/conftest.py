"""A real nginx on a free loopback port, web servers that stand for tasks, and who asks them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pushdeploy.output import Output
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.web_servers import Visitor, free_address

MakeNginx = Callable[[], Nginx]


@pytest.fixture
def address() -> Address:
    return free_address()


@pytest.fixture
def make_nginx(tmp_path: Path, address: Address) -> Iterator[MakeNginx]:
    """Routers of one home, as one server after another has them."""

    def make() -> Nginx:
        return Nginx(tmp_path, SharedFront(address), Templates(tmp_path))

    yield make
    make().stop()


@pytest.fixture
def nginx(make_nginx: MakeNginx) -> Nginx:
    router = make_nginx()
    router.start()
    return router


@pytest.fixture
def visit(address: Address) -> Iterator[Callable[[str], Visitor]]:
    visitors: list[Visitor] = []

    def start(app: str) -> Visitor:
        visitors.append(Visitor(address, app if "." in app else f"{app}.localhost"))
        return visitors[-1]

    yield start
    for visitor in visitors:
        visitor.connection.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def output(said: list[str]) -> Output:
    return Output(said.append)


@pytest.fixture
def hurried(tmp_path: Path, address: Address, make_nginx: MakeNginx) -> Nginx:
    """A router that holds a request for one second only."""
    router = Nginx(tmp_path, SharedFront(address, hold_seconds=1), Templates(tmp_path))
    router.start()
    return router


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as threads:
        yield threads
