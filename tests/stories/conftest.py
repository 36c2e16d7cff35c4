"""Fixtures of the stories: one server for most of them, own servers for those that kill it."""

import os
import secrets
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.stories.harness import APPS, Repository, Server
from tests.stories.leftovers import engine_answers, remove_rules_of_gone_homes, stack_image
from tests.stories.second_docker import Dockerd, bring, second_docker

MakeServer = Callable[..., Server]
MakeRepository = Callable[..., Repository]


LOG_CHARACTERS = 6000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A story that failed shows what its server wrote last."""
    report = yield
    if report.failed and report.when == "call":
        for server in getattr(item, "funcargs", {}).values():
            if isinstance(server, Server):
                report.sections.append(("the server's log", server.log()[-LOG_CHARACTERS:]))
    return report


@pytest.fixture(scope="session")
def docker() -> None:
    """Skip without an engine, fail where one is required."""
    if engine_answers():
        return
    if os.environ.get("PUSHDEPLOY_REQUIRE_DOCKER") == "1":
        pytest.fail("no Docker engine answers; bin/setup starts one")
    pytest.skip("no Docker engine answers")


@pytest.fixture
def dockerd(docker: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dockerd]:
    """An engine to kill: it is what answers ``docker`` while the story lasts."""
    with second_docker() as dockerd:
        bring([stack_image()], dockerd)
        monkeypatch.setenv("DOCKER_HOST", dockerd.host)
        yield dockerd


@pytest.fixture(scope="session")
def make_server(docker: None) -> Iterator[MakeServer]:
    """Makes started servers with homes of their own; all are removed at the end.

    A short path, for a control socket's may have 104 characters at the most.
    """
    remove_rules_of_gone_homes()
    with ExitStack() as made:

        def make(*, start: bool = True, **settings: str) -> Server:
            root = Path(tempfile.mkdtemp(prefix="pushdeploy-"))
            server = Server(root, **settings)
            made.callback(server.close)
            server.create()
            if start:
                server.start()
            return server

        yield make


@pytest.fixture(scope="session")
def shared_server(make_server: MakeServer) -> Server:
    return make_server()


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The server of the ordinary stories: they use apps with names of their own."""
    assert shared_server.running, f"a story ended the server:\n{shared_server.log()[-4000:]}"
    return shared_server


@pytest.fixture(scope="session")
def mortal_server(make_server: MakeServer) -> Server:
    """A second server, for the stories that kill it and start it again; see ``mortal``."""
    return make_server()


@pytest.fixture
def mortal(mortal_server: Server) -> Server:
    """The second server, running, whatever the story before has done to it."""
    if not mortal_server.running:
        mortal_server.start()
    return mortal_server


@pytest.fixture
def own_server(make_server: MakeServer) -> Iterator[Server]:
    """A server for one story that stops or kills it."""
    server = make_server()
    yield server
    server.close()


@pytest.fixture
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> MakeRepository:
    """``repo("hello")``: a clone of tests/apps/hello with a commit, for an app of its own name.

    ``on`` names another server than the shared one.
    """

    def make(
        app_directory: str | Path, app: str | None = None, on: Server | None = None
    ) -> Repository:
        source = APPS / app_directory
        name = app or f"{source.name[:20]}-{secrets.token_hex(3)}"
        target: Server = on or request.getfixturevalue("server")
        return Repository.create(target, source, tmp_path / name, name)

    return make
