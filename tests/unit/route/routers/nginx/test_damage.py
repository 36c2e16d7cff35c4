"""nginx or its files damaged while nothing is deployed: it heals, and other apps go on."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from pushdeploy.domain.errors import RouteFailed
from pushdeploy.domain.names import AppName
from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.caretaker import deaths_in
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.route.routers.nginx.workers import title, workers_in, workers_of
from tests.unit.route.routers.nginx.conftest import MakeNginx
from tests.unit.route.routers.nginx.holding import Serve, Visit
from tests.web_servers import route_to

Damage = Callable[[Path], object]


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


DAMAGES = [
    pytest.param(lambda path: path.write_bytes(path.read_bytes()[:200]), id="truncated"),
    pytest.param(lambda path: path.write_bytes(b""), id="empty"),
    pytest.param(lambda path: path.write_bytes(b"\0\xff\x00garbage{{{;" * 50), id="garbage"),
    pytest.param(lambda path: path.write_bytes(b"no_such_directive on;\n"), id="nonsense"),
    pytest.param(lambda path: path.chmod(0), id="unreadable"),
    pytest.param(lambda path: path.unlink(), id="removed"),
    pytest.param(_directory, id="a directory"),
    pytest.param(_pipe, id="a pipe"),
    pytest.param(_dangling, id="a dangling link"),
]


@pytest.fixture
def watched(nginx: Nginx) -> Iterator[Nginx]:
    """A router that is watched as in a server."""
    stopping = threading.Event()
    thread = threading.Thread(target=nginx.watch, args=[stopping.is_set])
    thread.start()
    yield nginx
    stopping.set()
    nginx.stop()
    thread.join(90)
    assert not thread.is_alive()


# ------------------------------------------------------------- files


@pytest.mark.parametrize("damage", DAMAGES)
def test_another_apps_damaged_file_is_written_again_and_no_command_fails(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path, damage: Damage
) -> None:
    nginx.switch(route_to(serve("blog").target, app="blog"), [], 30, Quiet())
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    file = tmp_path / "nginx" / "apps" / "blog.conf"
    before = file.read_bytes()
    damage(file)
    nginx.switch(route_to(serve("two").target), [], 30, Quiet())
    assert (visit("shop").get()[2], visit("blog").get()[2]) == ("two", "blog")
    assert file.read_bytes() == before


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["nginx.conf", "trial.conf", "forwarding.conf", "pages.conf"])
def test_a_damaged_file_of_all_apps_is_written_again(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path, name: str, damage: Damage
) -> None:
    damage(tmp_path / "nginx" / name)
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    assert visit("shop").get()[2] == "one"


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("running", [True, False])
def test_the_next_server_renders_a_damaged_file_from_the_ledger(
    nginx: Nginx,
    make_nginx: MakeNginx,
    serve: Serve,
    visit: Visit,
    tmp_path: Path,
    damage: Damage,
    running: bool,
) -> None:
    routes = [route_to(serve(app).target, app=app) for app in ("blog", "shop")]
    nginx.routes(routes)
    if not running:
        nginx.stop()
    damage(tmp_path / "nginx" / "apps" / "blog.conf")
    router = make_nginx()
    router.start()
    assert visit("shop").get()[2] == "shop", "it serves before the routes are made"
    router.routes(routes)
    assert (visit("shop").get()[2], visit("blog").get()[2]) == ("shop", "blog")


@pytest.mark.parametrize("name", ["aaa", "zzz"])
@pytest.mark.parametrize("content", [b"server {", b"upstream app_shop { server 127.0.0.1:1; }\n"])
def test_a_strange_file_is_left_out_and_named(
    nginx: Nginx,
    serve: Serve,
    visit: Visit,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    content: bytes,
) -> None:
    """Also where nginx would blame the app that it clashes with."""
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    (tmp_path / "nginx" / "apps" / f"{name}.conf").write_bytes(content)
    nginx.switch(route_to(serve("blog").target, app="blog"), [], 30, Quiet())
    assert (visit("shop").get()[2], visit("blog").get()[2]) == ("one", "blog")
    assert f"app={name} is not served" in caplog.text
    assert not (tmp_path / "nginx" / "apps" / f"{name}.conf").exists()


def test_a_template_that_is_nonsense_for_one_app_stops_no_other(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    nginx.switch(route_to(serve("bad").target, app="bad"), [], 30, Quiet())
    own = tmp_path / "templates" / "nginx" / "app.conf"
    own.parent.mkdir(parents=True)
    own.write_text(
        Path("templates/nginx/app.conf").read_text()
        + "{{ 'server { ${' if app == 'bad' else '' }}\n"
    )
    router = make_nginx()
    router.start()
    with pytest.raises(RouteFailed, match="refuses the configuration of bad"):
        router.switch(route_to(serve("worse").target, app="bad"), [], 30, Quiet())
    router.switch(route_to(serve("one").target), [], 30, Quiet())
    assert (visit("shop").get()[2], visit("bad").get()[2]) == ("one", "bad")
    router.remove(AppName("bad"))
    assert visit("bad").get()[0] == 404


def test_a_broken_include_of_the_operator_costs_no_app_its_file(
    nginx: Nginx, make_nginx: MakeNginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    """Also of a server that has just started, and knows no file yet."""
    routes = [route_to(serve(app).target, app=app) for app in ("blog", "shop")]
    nginx.routes(routes)
    broken = tmp_path / "nginx" / "conf.d" / "own.conf"
    broken.write_text("no_such_directive on;\n")
    router = make_nginx()
    router.start()
    router.routes([replace(route, version=2) for route in routes])
    broken.unlink()
    router.switch(routes[0], [], 30, Quiet())
    assert (visit("shop").get()[2], visit("blog").get()[2]) == ("shop", "blog")


@pytest.mark.parametrize("name", ["apps", "staging", "temp", "logs", "pages", "holders"])
def test_a_directory_that_was_removed_is_made_again(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path, name: str
) -> None:
    nginx.switch(route_to(serve("blog").target, app="blog"), [], 30, Quiet())
    shutil.rmtree(tmp_path / "nginx" / name)
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    assert (visit("shop").get()[2], visit("blog").get()[2]) == ("one", "blog")
    assert "no app at this address" in visit("nobody").get()[2]
    assert visit("shop").post(b"x" * 1_000_000)[0] == 200


@pytest.mark.parametrize("content", [None, b"", b"\0\0\0", b"1"])
def test_a_damaged_pid_file_does_not_hide_the_nginx_that_runs(
    nginx: Nginx,
    make_nginx: MakeNginx,
    serve: Serve,
    visit: Visit,
    tmp_path: Path,
    content: bytes | None,
) -> None:
    file = tmp_path / "nginx" / "nginx.pid"
    master = int(file.read_text())
    file.unlink() if content is None else file.write_bytes(content)
    router = make_nginx()
    router.start()
    router.switch(route_to(serve("one").target), [], 30, Quiet())
    assert visit("shop").get()[2] == "one"
    assert workers_of(master)
    router.stop()
    assert not title(master).startswith("nginx:")


# ------------------------------------------------------------- processes


def test_an_nginx_that_is_killed_is_started_again_at_once_and_told(
    watched: Nginx, serve: Serve, visit: Visit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched.switch(route_to(serve("one").target), [], 30, Quiet())
    for count in (1, 2):
        _kill_all(tmp_path)
        assert until(lambda: _serves(visit), 20)
        assert until(lambda count=count: len(_deaths(tmp_path)) == count, 20)  # type: ignore[misc]
        with watched._reloads.exclusively:  # until it is known to run
            pass
    assert "nginx has ended by itself" in caplog.text
    version, deaths = watched.examine(serving=True)
    assert (version.ok, deaths.ok) == (True, True)
    assert "it ended by itself 2 times" in deaths.detail


def test_a_master_that_is_killed_alone_is_replaced(
    watched: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    server = serve("one")
    watched.switch(route_to(server.target), [], 30, Quiet())
    master = _master(tmp_path)
    os.kill(master, signal.SIGKILL)
    assert until(lambda: _master(tmp_path) not in {0, master}, 20)
    assert until(lambda: _serves(visit), 20)
    watched.switch(route_to(serve("two").target), [server.target], 30, Quiet())
    assert visit("shop").get()[2] == "two"


def test_a_damaged_file_does_not_keep_a_killed_nginx_from_starting(
    watched: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    watched.switch(route_to(serve("one").target), [], 30, Quiet())
    for name in ("nginx.conf", "apps/shop.conf"):
        (tmp_path / "nginx" / name).write_text("server {")
    _kill_all(tmp_path)
    assert until(lambda: _serves(visit), 20)


def test_a_stopped_master_follows_the_next_switch(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    nginx.switch(route_to(serve("one").target), [], 30, Quiet())
    os.kill(_master(tmp_path), signal.SIGSTOP)
    nginx.switch(route_to(serve("two").target), [], 30, Quiet())
    assert visit("shop").get()[2] == "two"


def test_workers_that_are_killed_are_replaced_by_nginx_itself(
    watched: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    watched.switch(route_to(serve("one").target), [], 30, Quiet())
    for worker in workers_in(tmp_path / "nginx"):
        os.kill(worker.pid, signal.SIGKILL)
    assert until(lambda: _serves(visit), 20)
    assert not _deaths(tmp_path)


def test_an_nginx_whose_port_was_taken_meanwhile_starts_when_it_is_free(
    watched: Nginx, serve: Serve, visit: Visit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The trouble stands in the log; nothing else of the server minds."""
    watched.switch(route_to(serve("one").target), [], 30, Quiet())
    broken = tmp_path / "nginx" / "conf.d" / "own.conf"
    broken.write_text("no_such_directive on;\n")
    _kill_all(tmp_path)
    assert until(lambda: "no_such_directive" in caplog.text, 20)
    broken.unlink()
    assert until(lambda: _serves(visit), 20)
    assert len(_deaths(tmp_path)) == 1


def _deaths(home: Path) -> Sequence[datetime]:
    return deaths_in(home / "nginx" / "deaths")


def _serves(visit: Visit) -> bool:
    with suppress(OSError):
        return visit("shop").get()[2] == "one"
    return False


def _kill_all(home: Path) -> None:
    workers = workers_in(home / "nginx")
    os.kill(_master(home), signal.SIGKILL)
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)


def _master(home: Path) -> int:
    try:
        return int((home / "nginx" / "nginx.pid").read_text())
    except (FileNotFoundError, ValueError):
        return 0
