"""nginx goes on without us: adopted after our end, started anew after its own."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pushdeploy.domain.errors import BackendDown, RouteFailed
from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.route.routers.nginx.workers import title, workers_in, workers_of
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.web_servers import Visitor, WebServer, route_to

Serve = Callable[[str], WebServer]
Visit = Callable[[str], Visitor]
MakeNginx = Callable[[], Nginx]
DISTRIBUTION = Path("/usr/sbin/nginx")


def test_the_next_server_adopts_the_nginx_that_runs(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    before = _master(tmp_path)
    router = make_nginx()
    router.start()
    assert _master(tmp_path) == before
    assert visit("shop").get()[2] == "one"
    router.switch(route_to(serve("two").target), [], 30, Quiet())
    assert visit("shop").get()[2] == "two"


def test_what_a_killed_server_had_written_is_read_at_the_next_routes(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    former, wanted = route_to(serve("one").target), route_to(serve("two").target)
    nginx.switch(wanted, [], 30, Quiet())
    file = tmp_path / "nginx" / "apps" / "shop.conf"
    content = file.read_bytes()
    nginx.switch(former, [], 30, Quiet())
    (tmp_path / "nginx" / "unread").touch()
    file.write_bytes(content)
    router = make_nginx()
    router.start()
    router.routes([wanted])
    assert visit("shop").get()[2] == "two"


def test_a_new_http_address_is_taken_without_a_restart(
    nginx: Nginx, serve: Serve, tmp_path: Path
) -> None:
    route = route_to(serve("one").target)
    nginx.routes([route])
    before = _master(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        moved = Address("127.0.0.1", free.getsockname()[1])
    router = Nginx(tmp_path, SharedFront(moved), Templates(tmp_path))
    router.start()
    router.routes([route])
    visitor = Visitor(moved, "shop.localhost")
    assert visitor.get()[2] == "one"
    visitor.connection.close()
    assert _master(tmp_path) == before


def test_a_killed_master_is_followed_by_a_new_one_on_the_same_port(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    os.kill(_master(tmp_path), signal.SIGKILL)
    assert workers_in(tmp_path / "nginx")
    router = make_nginx()
    router.start()
    assert visit("shop").get()[2] == "one"
    assert until(lambda: not orphans_of_others(tmp_path), 10)


def test_a_request_in_flight_survives_the_masters_death(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    server = serve("one")
    nginx.switch(route_to(server.target), [], 30, Quiet())
    answers: list[str] = []
    visitor = visit("shop")
    asking = threading.Thread(target=lambda: answers.append(visitor.get("/slow/1")[2]))
    asking.start()
    assert server.arrived.wait(10)
    os.kill(_master(tmp_path), signal.SIGKILL)
    make_nginx().start()
    asking.join(10)
    assert answers == ["one"]


def test_a_switch_starts_an_nginx_that_has_died(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    os.kill(_master(tmp_path), signal.SIGKILL)
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    assert visit("shop").get()[2] == "one"


def test_stop_leaves_no_process_and_start_serves_the_same_routes(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    master = _master(tmp_path)
    nginx.stop()
    assert not title(master).startswith("nginx:")
    assert not workers_in(tmp_path / "nginx")
    nginx.stop()
    nginx.start()
    assert visit("shop").get()[2] == "one"


def test_another_process_with_the_pid_of_the_file_is_left_alone(
    make_nginx: MakeNginx, visit: Visit, tmp_path: Path
) -> None:
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx" / "nginx.pid").write_text(f"{os.getpid()}\n")
    make_nginx().stop()
    make_nginx().start()
    assert _master(tmp_path) != os.getpid()
    assert visit("nobody").get()[0] == 404


def test_two_homes_have_an_nginx_each(nginx: Nginx, tmp_path: Path, visit: Visit) -> None:
    home = tmp_path / "other"
    home.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", free.getsockname()[1])
    other = Nginx(home, SharedFront(address), Templates())
    other.start()
    other.stop()
    assert visit("nobody").get()[0] == 404


def test_a_taken_port_is_named(make_nginx: MakeNginx, address: Address) -> None:
    with (
        socket.create_server((address.host, address.port)),
        pytest.raises(BackendDown, match=r"bind\(\) to .* failed \(98: ") as failure,
    ):
        make_nginx().start()
    assert "PUSHDEPLOY_HTTP" in failure.value.hint


def test_an_app_file_that_nginx_cannot_read_does_not_keep_the_others_from_starting(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    nginx.stop()
    (tmp_path / "nginx" / "apps" / "torn.conf").write_text("server {")
    nginx.start()
    nginx.routes([route_to(serve("one").target)])
    assert visit("shop").get()[2] == "one"


def test_a_broken_include_of_the_operator_is_named_at_start(nginx: Nginx, tmp_path: Path) -> None:
    nginx.stop()
    (tmp_path / "nginx" / "conf.d" / "own.conf").write_text("no_such_directive on;\n")
    with pytest.raises(BackendDown, match=r"no_such_directive.*conf\.d/own\.conf:1"):
        nginx.start()


def test_a_broken_include_keeps_a_running_nginx_and_its_routes_as_they_are(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    (tmp_path / "nginx" / "conf.d" / "own.conf").write_text("no_such_directive on;\n")
    nginx.start()
    with pytest.raises(RouteFailed) as failure:
        nginx.switch(route_to(serve("two").target), [], 30, Quiet())
    assert "conf.d/own.conf:1" in failure.value.details[0]
    assert visit("shop").get()[2] == "one"


def test_what_the_trial_does_not_see_is_taken_back_after_the_signal(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    """A port that somebody else holds passes ``nginx -t`` and fails the reload."""
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    before = (tmp_path / "nginx" / "apps" / "shop.conf").read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        own = tmp_path / "templates" / "nginx" / "app.conf"
        own.parent.mkdir(parents=True)
        port = taken.getsockname()[1]
        own.write_text(f"server {{ listen 127.0.0.1:{port}; }}\n")
        router = Nginx(tmp_path, SharedFront(Address("127.0.0.1", 1)), Templates(tmp_path))
        with pytest.raises(RouteFailed) as failure:
            router.switch(route_to(serve("two").target), [], 30, Quiet())
    assert any("failed (98: " in line for line in failure.value.details)
    assert (tmp_path / "nginx" / "apps" / "shop.conf").read_bytes() == before
    assert visit("shop").get()[2] == "one"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's nginx changes its workers' user")
def test_workers_are_not_root(nginx: Nginx, tmp_path: Path) -> None:
    workers = workers_of(_master(tmp_path))
    owners = {Path(f"/proc/{worker.pid}").stat().st_uid for worker in workers}
    assert owners
    assert 0 not in owners


def orphans_of_others(home: Path) -> list[int]:
    own = {worker.pid for worker in workers_of(_master(home))}
    return [orphan.pid for orphan in workers_in(home / "nginx") if orphan.pid not in own]


def _master(home: Path) -> int:
    return int((home / "nginx" / "nginx.pid").read_text())


@pytest.mark.skipif(not DISTRIBUTION.exists(), reason="no nginx of the distribution")
def test_the_distributions_nginx_will_do(
    make_nginx: MakeNginx, serve: Serve, visit: Visit, tmp_path: Path, address: Address
) -> None:
    router = Nginx(tmp_path, SharedFront(address), Templates(), DISTRIBUTION)
    router.start()
    old, new = serve("old"), serve("new")
    router.switch(route_to(old.target), [], 30, Quiet())
    router.switch(route_to(new.target), [old.target], 30, Quiet())
    old.kill()
    assert visit("shop").get()[2] == "new"
    assert visit("shop").post(b"x" * 100_000)[2] == "100000 bytes"
