"""Roots on file systems that can limit a disk, schedulers and routers, made for each test."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import pushdeploy.disks.limits
import pushdeploy.route.routers
import pushdeploy.run.schedulers
from pushdeploy.discover import discover
from pushdeploy.disks import mounts
from pushdeploy.disks.conversion import unseal
from pushdeploy.disks.programs import found
from pushdeploy.domain.manifest import Limits, Manifest, ProcessSpec
from pushdeploy.domain.names import ImageDigest, ProcessType
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.instance import Home
from pushdeploy.run.choice import SchedulerGround, choose_scheduler
from pushdeploy.settings import load_settings
from tests.contracts import routers
from tests.contracts.limited import MIB, Machine
from tests.contracts.schedulers import APP, BROKEN, AnyBench, Bench, beside_memory
from tests.fakes import FakeEngine
from tests.memory import MemoryScheduler

SCHEDULERS = [name.replace("_", "-") for name in discover(pushdeploy.run.schedulers, "SCHEDULER")]
ROUTERS = [name.replace("_", "-") for name in discover(pushdeploy.route.routers, "ROUTER")]


@pytest.fixture(params=sorted(discover(pushdeploy.disks.limits, "LIMIT")))
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    kind = str(request.param)
    _refuse_elsewhere(kind)
    place = tmp_path / "place"
    place.mkdir()
    try:
        if kind == "btrfs":
            _mount_btrfs(tmp_path / "btrfs.img", place)
        elif mounts.containing(place).kind == "btrfs":
            pytest.skip("new disks are subvolumes here")
        yield Machine(kind, place / "disks")
    finally:
        _clear(place)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Machine]:
    """For what only a disk that is an image does."""
    _refuse_elsewhere("loopfile")
    if mounts.containing(tmp_path).kind == "btrfs":
        pytest.skip("new disks are subvolumes here")
    try:
        yield Machine("loopfile", tmp_path / "disks")
    finally:
        _clear(tmp_path)


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.docker)])
def engine_and_image(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Engine, str, dict[str, str], int]]:
    """The engine, an image, the environment in which SERVE works there, and a port."""
    if request.param == "docker":
        engine = request.getfixturevalue("engine")
        image = request.getfixturevalue("tiny_image")
        yield engine, image, {"SITE": "/tmp/site"}, 5000
        return
    fake = FakeEngine()
    fake.add_image("tiny:1")
    httpd = tmp_path / "bin" / "httpd"
    httpd.parent.mkdir()
    httpd.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m http.server --bind 127.0.0.1 -d "$5" "$3" 2>&1\n'
    )
    httpd.chmod(0o755)
    environment = {"PATH": f"{httpd.parent}:/usr/bin:/bin", "SITE": str(tmp_path / "site")}
    yield fake, "tiny:1", environment, _free_port()
    fake.close()


@pytest.fixture(params=[*SCHEDULERS, "of the app's choice"])
def bench(
    request: pytest.FixtureRequest,
    engine_and_image: tuple[Engine, str, dict[str, str], int],
    instance: str,
    tmp_path: Path,
) -> Bench:
    engine, image, environment, port = engine_and_image
    manifest = _manifest(image, environment, port)
    home = tmp_path / "home"
    if request.param == "of the app's choice":
        ground = SchedulerGround(engine, instance, Home(home), load_settings(home=home))
        return Bench(ground, replace(manifest, scheduler="docker-local"), beside_memory)
    settings = load_settings(home=home, scheduler=request.param)
    return Bench(SchedulerGround(engine, instance, Home(home), settings), manifest)


@pytest.fixture(params=[*SCHEDULERS, "in memory", "of the app's choice"])
def any_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyBench]:
    """Each scheduler that discovery finds, on the fake engine, and the one in memory."""
    fake = FakeEngine()
    fake.add_image("tiny:1")
    home = tmp_path / "home"
    commands = {"worker": "sleep 60", "broken": "echo no module named shop; exit 1"}
    processes = {ProcessType(kind): ProcessSpec(text, 2) for kind, text in commands.items()}
    manifest = replace(_manifest("tiny:1", {}, 7000), processes=processes)
    if request.param == "in memory":
        yield AnyBench(MemoryScheduler(broken={BROKEN}), manifest)
    elif request.param == "of the app's choice":
        settings = load_settings(home=home)
        ground = SchedulerGround(fake, fake.instance, Home(home), settings)
        yield AnyBench(beside_memory(ground), replace(manifest, scheduler="docker-local"))
    else:
        settings = load_settings(home=home, scheduler=request.param)
        ground = SchedulerGround(fake, fake.instance, Home(home), settings)
        yield AnyBench(choose_scheduler(ground), manifest)
    fake.close()


@pytest.fixture(params=ROUTERS)
def routed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[routers.Bench]:
    """Each router that discovery finds."""
    with routers.discovered(request.param, tmp_path) as bench:
        yield bench


@pytest.fixture(params=[*ROUTERS, "in memory"])
def routed_somehow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[routers.Bench]:
    """Each of them, and the one of tests that need no real one."""
    if request.param == "in memory":
        with routers.in_memory() as bench:
            yield bench
        return
    with routers.discovered(request.param, tmp_path) as bench:
        yield bench


def _manifest(image: str, environment: Mapping[str, str], port: int) -> Manifest:
    return Manifest(
        app=APP,
        version=3,
        image=ImageDigest(image),
        environment={"GREETING": "hello", **environment},
        processes={},
        mounts=[],
        user=None,
        group=20001,
        port=port,
        limits=Limits(64 * 1024 * 1024),
        boot_timeout_seconds=20,
        stop_grace_seconds=5,
    )


def _refuse_elsewhere(kind: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    if not Path("/dev/loop-control").exists() or not mounts.shares_them_with_the_machine():
        pytest.skip("there are no loop devices here")
    if found("mkfs.ext4") is None:
        pytest.skip("e2fsprogs is missing")
    if kind == "btrfs" and found("mkfs.btrfs") is None:
        pytest.skip("btrfs-progs is missing")


def _mount_btrfs(image: Path, place: Path) -> None:
    with image.open("wb") as file:
        file.truncate(400 * MIB)
    made = subprocess.run(["mkfs.btrfs", "--quiet", "--mixed", str(image)], check=False)
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=False)
    if made.returncode or mounted.returncode:
        pytest.skip("btrfs does not work here")


def _clear(place: Path) -> None:
    """Nothing stays mounted, whatever the test has left, nor anything that pytest cannot remove."""
    for point in mounts.below(place):
        subprocess.run(["umount", "--lazy", point], check=True)
    for path in place.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            unseal(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
