"""nginx's own logs are set aside when they are large, and no line is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from tests.web_servers import Crowd, WebServer, route_to

PATH = "/slow/0.01"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "nginx" / "logs" / "apps"


def lines(log: Path) -> int:
    """Those of the crowd: the router asks too."""
    return log.read_text().count(PATH)


def test_a_large_log_is_set_aside_while_visitors_ask(
    nginx: Nginx, serve: Callable[[str], WebServer], address: Address, logs: Path
) -> None:
    access, aside, crowd = logs / "shop.log", logs / "shop.log.1", Crowd()
    nginx.switch(route_to(serve("one").target), [], 1, Quiet())

    with crowd.visiting(address, "shop.localhost", [0.001] * 4, PATH):
        assert until(lambda: lines(access) > 50, 20)
        nginx.rotate_logs(largest_of_an_app_bytes=100)
        assert until(lambda: lines(access) > 50, 20)

    assert crowd.lost == []
    assert until(lambda: lines(aside) + lines(access) == crowd.answers.total(), 20)
    assert lines(aside) > 50


def test_a_small_log_is_left_alone(nginx: Nginx, logs: Path) -> None:
    (logs / "shop.log").write_text("x" * 200)
    nginx.rotate_logs()
    assert not list(logs.glob("*.1"))


def test_nothing_happens_while_nginx_is_down(nginx: Nginx, logs: Path) -> None:
    nginx.stop()
    (logs / "shop.log").write_text("x" * 200)
    nginx.rotate_logs(largest_of_an_app_bytes=100)
    assert (logs / "shop.log").read_text() == "x" * 200
