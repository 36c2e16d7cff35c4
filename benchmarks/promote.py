"""Promote until the new version answers: a bare script, and building again, beside it."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deploys import (
    copy_of,
    dependency_image,
    nginx_program,
    set_page,
    set_version,
    stack_image,
    until_answer,
)
from benchmarks.floor import Floor
from benchmarks.measure import Figure, interleaved, timed
from benchmarks.processor import Accounts
from tests.stories.harness import APPS, DOMAIN, Repository, Server

_NO_OP = "release: true\nweb: python web.py\n"


def measure(server: Server, runs: int, *, quick: bool = False) -> list[Figure]:
    """A release command that does nothing; without ``quick`` Django with ``migrate`` too."""
    return [*_hello(server, runs), *([] if quick else _notes(server, runs))]


@dataclass(frozen=True)
class Stages:
    """The same source three times: pushed to staging, promoted to production, pushed directly."""

    server: Server
    root: Path
    staging: Repository
    production: str
    direct: Repository
    change: Callable[[Path, str], None]

    @classmethod
    def create(
        cls, server: Server, name: str, change: Callable[[Path, str], None], *, disk: bool
    ) -> "Stages":
        root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
        staging, production, direct = f"{name}-staging", name, f"{name}-direct"
        for app in (staging, production, direct):
            server.ssh(f"apps:create {app}", check=True)
            if disk:
                server.ssh(f"disks:attach {app} data /data", check=True)
                server.ssh(f"disks:set {app} cutover=overlap", check=True)  # as the script does it
        server.ssh(f"pipelines:create {name}", check=True)
        server.ssh(f"pipelines:add {name} {staging} --stage staging", check=True)
        server.ssh(f"pipelines:add {name} {production} --stage production", check=True)
        made = [
            Repository.create(server, APPS / name, root / app, app) for app in (staging, direct)
        ]
        return cls(server, root, made[0], production, made[1], change)

    def promote(self, marker: str, *, fresh: bool = False) -> float:
        """Seconds of promoting what ``push`` has sent to staging before."""
        command = f"pipelines:promote {self.staging.app}"
        return until_answer(
            self.server.http_port,
            f"{self.production}.{DOMAIN}",
            marker,
            lambda: self.server.ssh(command, check=True, fresh=fresh),
        )

    def build_again(self, marker: str) -> float:
        """Seconds of pushing the same kind of change to an app that has to build it."""
        self.change(self.direct.path, marker)
        self.direct.commit(marker)
        return until_answer(
            self.server.http_port,
            f"{self.direct.app}.{DOMAIN}",
            marker,
            lambda: self.direct.push(check=True),
        )

    def push(self, marker: str) -> None:
        """A change of code to staging."""
        self.change(self.staging.path, marker)
        self.staging.commit(marker)
        self.staging.push(check=True)


def _hello(server: Server, runs: int) -> list[Figure]:
    stages = Stages.create(server, "hello", set_version, disk=False)
    for repository in (stages.staging, stages.direct):
        repository.write("Procfile", _NO_OP)
        repository.commit("A release command")
        repository.push(check=True)
    floor = Floor(
        stages.root / "floor",
        copy_of(stages.root, "hello"),
        nginx_program(),
        stack_image(),
        web="python web.py",
        release="true",
    )
    return _compare("no-op release", stages, floor, runs)


def _notes(server: Server, runs: int) -> list[Figure]:
    stages = Stages.create(server, "notes", set_page, disk=True)
    for repository in (stages.staging, stages.direct):
        repository.push(check=True)
    floor = Floor(
        stages.root / "floor",
        copy_of(stages.root, "notes"),
        nginx_program(),
        dependency_image(server),
        web="gunicorn notes.wsgi --bind 0.0.0.0:$PORT",
        release="python manage.py migrate --noinput",
        build="RUN python manage.py collectstatic --noinput",
    )
    return _compare("Django, migrate", stages, floor, runs)


def _compare(name: str, stages: Stages, floor: Floor, runs: int) -> list[Figure]:
    floor.start()
    turn = iter(range(1, 1000))
    accounts = Accounts(stages.server.pid)

    def marker() -> str:
        return f"marker-{next(turn)}-end"

    def bare() -> float:
        text = marker()
        stages.change(floor.source, text)
        floor.prepare()
        return accounts.during(
            "floor",
            lambda: until_answer(floor.port, f"{stages.production}.{DOMAIN}", text, floor.promote),
        )

    def promote(*, fresh: bool = False) -> float:
        text = marker()
        stages.push(text)
        return accounts.during(
            "promote, fresh" if fresh else "promote", lambda: stages.promote(text, fresh=fresh)
        )

    measures: Mapping[str, Callable[[], float]] = {
        "floor": bare,
        "promote": promote,
        "fresh": lambda: promote(fresh=True),
        "version": lambda: timed(lambda: stages.server.ssh("version", check=True, fresh=True)),
        "build": lambda: stages.build_again(marker()),
    }
    try:
        found = interleaved(measures, runs)
    finally:
        floor.stop()
        shutil.rmtree(stages.root, ignore_errors=True)
    return [*_figures(name, found), *accounts.figures(name, "promote", "floor", runs)]


def _figures(name: str, found: Mapping[str, list[float]]) -> list[Figure]:
    floor, promote = f"{name}: bare docker and a HUP", f"{name}: promote"
    version = f"{name}: version over a fresh connection"
    return [
        Figure(floor, runs=found["floor"]),
        Figure(promote, runs=found["promote"], reference=floor, aim="<= 0.9"),
        Figure(f"{name}: promote, seconds", runs=found["promote"], aim=_most_seconds(name)),
        Figure(version, runs=found["version"]),
        Figure(f"{name}: promote over a fresh connection", runs=found["fresh"], reference=version),
        Figure(f"{name}: push and build again", runs=found["build"], reference=promote),
    ]


def _most_seconds(name: str) -> str:
    return "<= 1" if name.startswith("no-op") else ""
