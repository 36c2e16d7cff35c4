"""What tests of several folders share. Nothing of Docker is imported before it is asked."""

import io
import os
import secrets
import shutil
import signal
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pushdeploy.engine.docker import DockerEngine
    from tests.web_servers import WebServer

APPLETS = (
    "awk cat chmod cut date echo env false grep head httpd id kill ls mkdir nc printf ps pwd rm"
    " seq sh sleep stty tail test touch tr true tty wget wc yes"
)


def pytest_configure() -> None:
    """A shell starts what it puts into the background with SIGINT ignored, and so would be the
    clients that stories interrupt. And compiled modules are kept, whatever the shell says: else
    each program that a test starts compiles all of ours, and each run of pytest all tests."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with Docker that take longest come first: each is done by one worker, and the last
    one that is begun keeps all others waiting. Tests of a file stay together and in their order."""
    with_docker = [item for item in items if item.get_closest_marker("docker")]
    seconds: Counter[Path] = Counter()
    for item in with_docker:
        seconds[item.path] += _about_seconds(item)
    others = [item for item in items if not item.get_closest_marker("docker")]
    items[:] = [*sorted(with_docker, key=lambda item: -seconds[item.path]), *others]


def _about_seconds(item: pytest.Item) -> int:
    """A story deploys an app or two, with an own server or engine where it kills one."""
    if item.get_closest_marker("slow"):
        return 60
    if "own_server" in getattr(item, "fixturenames", ()):
        return 20
    return 6 if "stories" in item.path.parts else 2


@pytest.fixture
def instance() -> Iterator[str]:
    """An instance id of the test's own; what carries it is removed afterwards."""
    from tests.stories.leftovers import forget_home, note_home

    name = secrets.token_hex(4)
    note_home(name, Path("/proc", str(os.getpid())))
    yield name
    sweep(name)
    forget_home(name)


@pytest.fixture
def engine(instance: str) -> Iterator["DockerEngine"]:
    """The real engine, for containers of this test alone."""
    yield from _engine(instance)


@pytest.fixture(scope="session")
def tiny_image() -> Iterator[str]:
    """The tag of an image with sh, httpd, nc, sleep and friends, made without a registry."""
    from pushdeploy.domain.container import ImageChange

    name = secrets.token_hex(4)
    for engine in _engine(name):
        tag = f"pushdeploy-test-{name}:tiny"
        change = ImageChange(environment={"PATH": "/bin"}, labels={"test": "tiny"})
        engine.import_image(io.BytesIO(_tiny_tar()), tag, change)
        yield tag
        sweep(name)


@pytest.fixture
def serve() -> Iterator[Callable[[str], "WebServer"]]:
    """Starts web servers that stand for tasks, by their names."""
    from tests.web_servers import WebServer

    servers: list[WebServer] = []

    def start(name: str) -> WebServer:
        servers.append(WebServer(name))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


def sweep(instance: str) -> None:
    """Remove the containers, images and network of ``instance``; nothing where no Docker is."""
    from pushdeploy.domain.errors import BackendDown, PushdeployError
    from pushdeploy.engine.docker import DockerEngine

    with DockerEngine(instance) as engine, suppress(BackendDown):
        for container in engine.containers({}):
            engine.remove(container.id)
        for image in engine.images({}):
            for reference in [*image.tags, image.id]:
                with suppress(PushdeployError):
                    engine.remove_image(reference)
        _remove_networks(engine)


def _remove_networks(engine: "DockerEngine") -> None:
    """Docker takes the steps of a cancelled build away in its own time."""
    from pushdeploy.domain.errors import PushdeployError

    deadline = time.monotonic() + 10
    while True:
        try:
            return engine.remove_network()
        except PushdeployError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _engine(instance: str) -> Iterator["DockerEngine"]:
    """Skips where no Docker answers, but fails where one has been promised."""
    from pushdeploy.domain.errors import BackendDown
    from pushdeploy.engine.docker import DockerEngine

    with DockerEngine(instance) as engine:
        try:
            engine.version()
        except BackendDown as error:
            if os.environ.get("CI") == "true" or os.environ.get("PUSHDEPLOY_REQUIRE_DOCKER"):
                pytest.fail(f"{error.message}: {error.hint}")
            pytest.skip(f"{error.message}: start Docker to run this test")
        yield engine


def _tiny_tar() -> bytes:
    """A root file system of Debian's static busybox with a link for each applet."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.fail("busybox is missing: apt-get install busybox-static")
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for folder, mode in {"bin": 0o755, "app": 0o777, "tmp": 0o1777, "etc": 0o755}.items():
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        tar.add(busybox, "bin/busybox")
        for applet in APPLETS.split():
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
        for name, text in {"passwd": b"root:x:0:0::/:/bin/sh\n", "group": b"root:x:0:\n"}.items():
            entry = tarfile.TarInfo(f"etc/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return content.getvalue()
