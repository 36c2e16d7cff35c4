"""Two repositories read as one: what only one of them has, also where one is shallow."""

import subprocess
from pathlib import Path

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, CommitId
from pushdeploy.receive import divergence
from pushdeploy.receive.repositories import Repositories

ONE, TWO = AppName("one"), AppName("two")


class Work:
    """A clone that commits and pushes straight into the repositories."""

    def __init__(self, folder: Path, repositories: Repositories) -> None:
        self.folder = folder
        self.repositories = repositories
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, folder: Path | None = None) -> str:
        names = ["-c", "user.name=Ada\x1b[31m", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", *names, *words],
            cwd=folder or self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, subject: str) -> CommitId:
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return CommitId(self.git("rev-parse", "HEAD"))

    def push(self, app: AppName, commit: CommitId) -> None:
        self.repositories.ensure(app)
        self.git("push", "-qf", str(self.repositories.path(app)), f"{commit}:refs/heads/main")

    def push_shallow(self, app: AppName, commit: CommitId) -> None:
        """What a push of ``git clone --depth 1`` leaves."""
        self.push(AppName("middle"), commit)
        self.repositories.ensure(app)
        middle = f"file://{self.repositories.path(AppName('middle'))}"
        path = self.repositories.path(app)
        fetch = ["fetch", "-q", "--depth=1", middle, "main:refs/heads/main"]
        self.git("--git-dir", str(path), *fetch)


@pytest.fixture
def work(tmp_path: Path, repositories: Repositories) -> Work:
    return Work(tmp_path / "work", repositories)


def test_commits_of_both_directions_are_told_newest_first(
    work: Work, repositories: Repositories
) -> None:
    base = work.commit("Base")
    hotfix = work.commit("Hotfix")
    work.git("reset", "-q", "--hard", base)
    work.commit("One")
    head = work.commit("Two\n\nwith a body")
    work.push(ONE, head)
    work.push(TWO, hotfix)

    found = repositories.divergence(ONE, head, TWO, hotfix)

    assert [commit.subject for commit in found.ahead] == ["Two", "One"]
    assert [commit.id for commit in found.behind] == [hotfix]
    assert found.ahead[0].author == "Ada", "nothing that steers a terminal"
    assert found.complete
    assert repositories.related(ONE, head, TWO, hotfix)


def test_without_a_base_the_whole_history_is_ahead(work: Work, repositories: Repositories) -> None:
    work.commit("One")
    head = work.commit("Two")
    work.push(ONE, head)
    found = repositories.divergence(ONE, head, ONE, None)
    assert [commit.subject for commit in found.ahead] == ["Two", "One"]
    assert found.behind == []


def test_histories_without_a_common_commit_are_not_related(
    work: Work, repositories: Repositories
) -> None:
    one = work.commit("One")
    work.push(ONE, one)
    work.git("checkout", "-q", "--orphan", "other")
    two = work.commit("Two")
    work.push(TWO, two)
    assert not repositories.related(ONE, one, TWO, two)
    found = repositories.divergence(ONE, one, TWO, two)
    assert found.summary == "1 ahead, 1 behind"


@pytest.mark.parametrize("shallow", [ONE, TWO])
def test_shallow_repository_is_completed_by_the_other_one(
    work: Work, repositories: Repositories, shallow: AppName
) -> None:
    work.commit("Zero")
    old = work.commit("One")
    new = work.commit("Two")
    for app, commit in ((ONE, new), (TWO, old)):
        (work.push_shallow if app == shallow else work.push)(app, commit)
    found = repositories.divergence(ONE, new, TWO, old)
    # Where the newer side is cut, nobody knows that it descends from the other.
    assert found.summary == ("1 ahead" if shallow == TWO else "1 ahead, 2 behind")


def test_two_shallow_repositories_at_one_commit_are_related(
    work: Work, repositories: Repositories
) -> None:
    work.commit("Zero")
    head = work.commit("One")
    work.push_shallow(ONE, head)
    work.push_shallow(TWO, head)
    assert repositories.related(ONE, head, TWO, head)
    assert repositories.divergence(ONE, head, TWO, head).summary == ""


def test_commit_of_a_shallow_repository_is_shared_too(
    work: Work, repositories: Repositories
) -> None:
    work.commit("Zero")
    head = work.commit("One")
    work.push_shallow(ONE, head)
    repositories.share(ONE, TWO, head)
    assert repositories.source(TWO, head) is not None
    assert repositories.related(ONE, head, TWO, head)


def test_commit_that_is_gone_is_told(work: Work, repositories: Repositories) -> None:
    head = work.commit("One")
    work.push(ONE, head)
    repositories.ensure(TWO)
    with pytest.raises(UserError, match="the commits of one and two cannot be compared"):
        repositories.divergence(ONE, head, TWO, CommitId("a" * 40))
    with pytest.raises(UserError, match="cannot be compared"):
        repositories.divergence(ONE, head, AppName("nobody"), head)


def test_more_commits_than_anybody_reads_are_cut_off(
    work: Work, repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divergence, "MOST_COMMITS", 2)
    for number in range(3):
        head = work.commit(str(number))
    work.push(ONE, head)
    found = repositories.divergence(ONE, head, ONE, None)
    assert ([commit.subject for commit in found.ahead], found.complete) == (["2", "1"], False)
