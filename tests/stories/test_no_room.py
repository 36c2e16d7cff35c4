"""A home that is full, or that its kernel has made read-only: ssh leads out of it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.grounds import file_system, fill, memory, remount
from tests.stories.harness import APPS, Repository, Server

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems"),
]

CHANGES = (
    "config:set {app} A=b",
    "apps:create blog",
    "ps:restart {app}",
    "ps:scale {app} web=2",
    "domains:add {app} www.example.org",
    "disks:attach {app} data /data",
)
READS = ("apps:list", "ps {app}", "logs {app}", "releases {app}", "config {app}", "keys:list")


@pytest.fixture
def root(docker: None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pushdeploy-") as root:
        yield Path(root)


def live_on(server: Server, place: Path, root: Path) -> Repository:
    """An app with a config var, live in a home at ``place``."""
    server.home = place / "home"
    server.create()
    hook = server.home / "hooks" / "pre-build"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\n")  # the one that ships wants more room than there is
    server.start()
    repository = Repository.create(server, APPS / "hello", root / "clone", "shop")
    repository.push(check=True)
    server.ssh("config:set shop KEPT=yes", check=True)
    return repository


def assert_told(server: Server, repository: Repository, why: str) -> None:
    """Whatever would change something says why it cannot, in one line; reading goes on."""
    for line in CHANGES:
        said = server.ssh(line.format(app="shop"))
        assert said.returncode == 69, (line, said)
        assert why in said.stderr, (line, said)
        assert "Traceback" not in said.stderr
        assert "internal error" not in said.stderr
    repository.commit()
    pushed = repository.push()
    assert pushed.returncode != 0
    assert f"main -> main (the file system at {server.home.parent} {why}" in pushed.stderr
    assert_readable(server, repository)


def assert_readable(server: Server, repository: Repository) -> None:
    for line in READS:
        said = server.ssh(line.format(app="shop"))
        assert said.returncode == 0, (line, said)
    assert server.ssh("config:get shop KEPT").stdout == "yes\n"
    assert server.get("shop").body == "hello from version 1\n"
    assert repository.remote_main == repository.first


def doctor(server: Server) -> str:
    words = [sys.executable, "-m", "pushdeploy", "doctor", "--home", str(server.home)]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout


def test_a_full_home_is_told_and_led_out_of(root: Path) -> None:
    server = Server(root)
    with ExitStack() as stack:
        place = stack.enter_context(memory(root / "small", "size=64m"))
        stack.callback(server.close)
        repository = live_on(server, place, root)
        ballast = fill(place)

        assert_told(server, repository, "is full")
        assert f"the file system at {place} is full" in doctor(server)

        server.kill()
        server.start()
        assert "is full" in server.log()
        assert_readable(server, repository)
        assert server.ssh("apps:create blog").returncode == 0  # out of what was kept in reserve

        more = place / "more"
        more.write_bytes(b"")
        fill(more.parent)
        ballast.unlink()
        assert server.ssh("config:set shop A=b").returncode == 0
        assert repository.push().returncode == 0


def test_what_makes_room_may_have_the_reserve(root: Path) -> None:
    server = Server(root)
    with ExitStack() as stack:
        place = stack.enter_context(memory(root / "small", "size=64m"))
        stack.callback(server.close)
        repository = live_on(server, place, root)
        server.ssh("apps:create blog", check=True)
        fill(place)

        assert server.ssh("apps:create more").returncode == 69
        destroyed = server.ssh("apps:destroy blog --force")
        assert destroyed.returncode == 0, destroyed
        assert server.ssh("apps:list").stdout == "shop\n"
        assert_readable(server, repository)


def test_a_home_that_has_become_read_only_is_told_and_a_server_starts_on_it(root: Path) -> None:
    server = Server(root)
    with ExitStack() as stack:
        place = stack.enter_context(file_system("ext4", 96))
        stack.callback(server.close)
        repository = live_on(server, place, root)
        remount(place, "abort")  # as the kernel does when the device fails

        assert_told(server, repository, "is read-only")
        server.kill()
        server.start()
        assert_told(server, repository, "is read-only")
