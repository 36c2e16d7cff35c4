"""The rules that keep nginx's old workers from tasks that are to be stopped."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.domain.names import AppName
from pushdeploy.domain.route import Target
from pushdeploy.route.routers.nginx.refusals import Refusals, chain_name, jump, rules

SHOP, BLOG = AppName("shop"), AppName("blog")
ONE, TWO = Target("127.0.0.1", 5001), Target("127.0.0.1", 5002)
NOBODY = 65534

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the firewall")


@pytest.fixture
def refusals(tmp_path: Path) -> Iterator[Refusals]:
    refusals = Refusals(tmp_path)
    yield refusals
    refusals.clear()


def test_the_rules_of_all_apps_are_made_at_once() -> None:
    text = rules("chain", {SHOP: (33, frozenset([TWO, ONE]))}, chained=False)
    end = '-m comment --comment "pushdeploy: shop is held" -j REJECT --reject-with tcp-reset'
    assert text.splitlines() == [
        "*filter",
        ":chain - [0:0]",
        f"-A chain -d 127.0.0.1 -p tcp --dport 5001 --syn -m owner --uid-owner 33 {end}",
        f"-A chain -d 127.0.0.1 -p tcp --dport 5002 --syn -m owner --uid-owner 33 {end}",
        "-I OUTPUT -p tcp --syn -j chain",
        "COMMIT",
    ]


def test_without_anything_to_refuse_the_chain_goes() -> None:
    assert rules("chain", {}, chained=True).splitlines() == [
        "*filter",
        ":chain - [0:0]",
        "-D OUTPUT -p tcp --syn -j chain",
        "-X chain",
        "COMMIT",
    ]


def test_two_homes_have_a_chain_each() -> None:
    names = {chain_name(Path("/a")), chain_name(Path("/b"))}
    assert len(names) == 2
    assert all(len(name) <= 28 for name in names)


@root
def test_new_connections_are_refused_at_once_to_that_user_and_no_other(refusals: Refusals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert refusals.add(SHOP, NOBODY, [Target("127.0.0.1", port)])
        assert _connect_as(NOBODY, port) == "refused"
        assert _connect_as(0, port) == "connected"
        refusals.forget(SHOP)
        assert _connect_as(NOBODY, port) == "connected"


@root
def test_a_target_that_serves_again_is_not_refused_whoever_held_it(
    refusals: Refusals, tmp_path: Path
) -> None:
    refusals.add(SHOP, NOBODY, [ONE, TWO])
    refusals.add(BLOG, NOBODY, [ONE])
    refusals.lift([ONE])
    assert "--dport 5001" not in _chain(tmp_path)
    assert "--dport 5002" in _chain(tmp_path)
    refusals.lift([TWO])
    assert _chain(tmp_path) == ""


@root
def test_what_a_killed_server_left_is_cleared(refusals: Refusals, tmp_path: Path) -> None:
    refusals.add(SHOP, NOBODY, [ONE])
    successor = Refusals(tmp_path)
    successor.clear()
    assert _chain(tmp_path) == ""
    assert successor.add(SHOP, NOBODY, [ONE])
    successor.clear()


@root
def test_a_firewall_that_was_loaded_anew_is_no_obstacle_regression(
    refusals: Refusals, tmp_path: Path
) -> None:
    refusals.add(SHOP, NOBODY, [ONE])
    subprocess.run(["iptables", "-w", "-D", *jump(chain_name(tmp_path))], check=True)
    refusals.forget(SHOP)
    assert _chain(tmp_path) == ""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert refusals.add(SHOP, NOBODY, [Target("127.0.0.1", port)])
        assert _connect_as(NOBODY, port) == "refused"


def test_where_it_is_not_possible_the_log_says_so_once(
    refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    ipv6 = Target("fd00::1", 5000)
    assert not refusals.add(SHOP, NOBODY, [ipv6])
    assert not refusals.add(SHOP, NOBODY, [ipv6])
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def _connect_as(user: int, port: int) -> str:
    script = (
        f"import os, socket\nos.setuid({user})\n"
        f"print(socket.socket().connect_ex(('127.0.0.1', {port})))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    return {0: "connected", errno.ECONNREFUSED: "refused"}[int(run.stdout)]


def _chain(home: Path) -> str:
    words = ["iptables", "-w", "-S", chain_name(home)]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout
