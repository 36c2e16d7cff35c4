"""Changes that arrive together share one reload, and a bad one among them harms no other."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pushdeploy.domain.names import AppName
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.kept_files import KeptFiles
from pushdeploy.route.routers.nginx.master import Master, Reload
from pushdeploy.route.routers.nginx.prefix import Prefix
from pushdeploy.route.routers.nginx.reloads import Applied, Reloads
from pushdeploy.route.routers.nginx.router import Nginx
from tests.stories.means import free_ports


class CountingMaster(Master):
    """The real one, with a count of what was asked of it."""

    reloads = 0
    trials = 0

    def reload(self) -> Reload:
        self.reloads += 1
        return super().reload()

    def test(self, config: str) -> Sequence[str]:
        self.trials += 1
        return super().test(config)


@pytest.fixture
def master(nginx: Nginx, tmp_path: Path) -> CountingMaster:
    return CountingMaster(Prefix(tmp_path / "nginx"), None)


@pytest.fixture
def reloads(master: CountingMaster, tmp_path: Path) -> Reloads:
    return Reloads(Prefix(tmp_path / "nginx"), master, KeptFiles())


def test_changes_that_wait_for_a_reload_share_the_next_one(
    reloads: Reloads, master: CountingMaster
) -> None:
    apps = [AppName(f"app{number}") for number in range(5)]
    with ThreadPoolExecutor(5) as threads:
        with reloads.exclusively:
            jobs = [threads.submit(reloads.apply, {app: _good(app)}) for app in apps]
            assert until(lambda: len(reloads._waiting) == len(apps), 10)
        applied = [job.result(30) for job in jobs]
    assert master.reloads == 1
    assert applied == [applied[0]] * len(apps)
    assert all(reloads.content(app) == _good(app) for app in apps)


def test_nothing_is_reloaded_for_a_file_that_is_as_it_should_be(
    reloads: Reloads, master: CountingMaster
) -> None:
    reloads.apply({AppName("shop"): _good("shop")})
    reloads.apply({AppName("shop"): _good("shop"), AppName("gone"): None})
    assert (master.reloads, master.trials) == (1, 1)


def test_the_bad_ones_among_many_are_found_by_halving(
    reloads: Reloads, master: CountingMaster
) -> None:
    apps = [AppName(f"app{number}") for number in range(64)]
    bad = {apps[7], apps[50]}
    changes = {app: b"}" if app in bad else _good(app) for app in apps}
    applied = reloads.apply(changes)
    assert set(applied.refused) == bad
    assert all("apps/app" in lines[0] for lines in applied.refused.values())
    assert all((reloads.content(app) is None) is (app in bad) for app in apps)
    assert master.trials < 40
    assert master.reloads == 1


def test_files_that_clash_only_together_are_told_apart(reloads: Reloads) -> None:
    zone = b"limit_req_zone $remote_addr zone=same:1m rate=1r/s;\n"
    reloads.apply({AppName("first"): zone})
    clash = b"limit_conn_zone $remote_addr zone=same:1m;\n"
    applied = reloads.apply({AppName("second"): clash, AppName("third"): _good("third")})
    assert set(applied.refused) == {"second"}
    assert reloads.content(AppName("first")) == zone


def test_a_reload_tells_which_workers_it_left_behind(reloads: Reloads) -> None:
    applied = reloads.apply({AppName("shop"): _good("shop")})
    assert isinstance(applied, Applied)
    assert applied.reload.left_behind
    assert until(applied.reload.gone, 10)


def test_other_addresses_in_a_file_need_no_trial(reloads: Reloads, master: CountingMaster) -> None:
    text = b"# v1\nupstream app_shop { server 10.0.0.1:5000; server 10.0.0.2:5000; }\n"
    moved = text.replace(b"# v1", b"# v2").replace(b"10.0.0.1", b"10.0.12.1")
    longer = moved.replace(b"}", b"server 10.0.0.3:5000; }")
    reloads.apply({AppName("shop"): text})
    assert (master.reloads, master.trials) == (1, 1)
    reloads.apply({AppName("shop"): moved})
    assert (master.reloads, master.trials) == (2, 1)
    assert reloads.content(AppName("shop")) == moved
    reloads.apply({AppName("shop"): longer, AppName("cart"): _good("cart")})
    assert (master.reloads, master.trials) == (3, 2)


def test_an_address_that_nginx_cannot_use_is_refused_and_the_former_file_stays(
    reloads: Reloads, master: CountingMaster
) -> None:
    (port,) = free_ports(1)
    text = f"server {{ listen 127.0.0.1:{port}; }}\n".encode()
    reloads.apply({AppName("shop"): text})
    applied = reloads.apply({AppName("shop"): text.replace(b"127.0.0.1", b"192.0.2.1")})
    assert set(applied.refused) == {"shop"}
    assert "192.0.2.1" in applied.refused[AppName("shop")][0]
    assert reloads.content(AppName("shop")) == text
    assert reloads.apply({AppName("cart"): _good("cart")}).refused == {}


def _good(app: str) -> bytes:
    return f"upstream app_{app} {{ server 127.0.0.1:1; }}\n".encode()
