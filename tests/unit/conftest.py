"""Fixtures of the unit tests: servers whose scheduler, router and engine are in memory."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import CommitId, DiskName
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.commands.stages import EU, NEW, STAGING


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "repositories").mkdir()
    made = Machine(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def history(machine: Machine, tmp_path: Path) -> list[CommitId]:
    """Three commits in the repository of the staging app, the first of them in production's too."""
    work = tmp_path / "work"
    work.mkdir()

    def git(*words: str) -> str:
        names = ["-c", "user.name=Ada", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", *names, *words], cwd=work, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    commits = []
    for subject in ("Begin", "Add a page", "Add another page"):
        git("commit", "-q", "--allow-empty", "-m", subject)
        commits.append(CommitId(git("rev-parse", "HEAD")))
    for app, commit in ((STAGING, commits[-1]), (SHOP, commits[0])):
        machine.refs.ensure(app)
        git("push", "-q", str(machine.refs.path(app)), f"{commit}:refs/heads/main")
    return commits


@pytest.fixture
def two(machine: Machine, history: list[CommitId]) -> Machine:
    """Staging is two commits ahead of production."""
    machine.live(SHOP, commit=history[0], key="old")
    machine.live(STAGING, commit=history[2], key="new", image=NEW, size_bytes=2048)
    assert machine.type("pipelines:create main shop-staging shop").status == 0
    return machine


@pytest.fixture
def three(two: Machine) -> Machine:
    """Two production apps, of which each has something live."""
    two.live(EU, commit=two.store.releases.get(SHOP, 1).slug.commit, key="old")
    two.refs.ensure(EU)
    two.refs.share(STAGING, EU, two.store.releases.get(SHOP, 1).slug.commit)
    two.type("pipelines:add main shop-eu")
    return two


@pytest.fixture
def migrating(machine: Machine) -> Machine:
    """A live app with a file on its disk and a release command."""
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live(release_command="migrate")
    disk = machine.context.back_ends.disks.ensure(machine.store.apps.get(SHOP), DiskName("data"))
    (disk / "note").write_text("one")
    machine.scheduler.once.clear()
    return machine
