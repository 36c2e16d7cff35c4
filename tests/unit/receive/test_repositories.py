"""The refs of the apps, on disk."""

import threading
from pathlib import Path

import pytest

from pushdeploy.domain.errors import Busy, UnknownApp, UserError
from pushdeploy.domain.names import AppName, CommitId
from pushdeploy.receive.repositories import Repositories
from tests.unit.receive.client import Client
from tests.unit.receive.host import APP

MAIN = "refs/heads/main"


@pytest.fixture
def commits(client: Client, repositories: Repositories) -> list[CommitId]:
    """In the repository, on a branch aside."""
    made = [client.commit(file=str(number)) for number in range(3)]
    client.git("push", "-q", "deploy", "main:aside")
    return made


def test_a_repository_is_made_once_and_bare(repositories: Repositories, client: Client) -> None:
    assert repositories.ensure(APP)
    assert not repositories.ensure(APP)

    git = ("--git-dir", str(repositories.path(APP)))
    assert client.git(*git, "rev-parse", "--is-bare-repository") == "true"
    assert client.git(*git, "symbolic-ref", "HEAD") == MAIN
    assert client.git(*git, "config", "gc.auto") == "0"
    assert list((repositories.path(APP) / "hooks").iterdir()) == []
    assert sorted(path.name for path in repositories.path(APP).parent.iterdir()) == ["shop.git"]


def test_only_a_valid_name_becomes_a_path(repositories: Repositories) -> None:
    with pytest.raises(UserError, match="not an app name"):
        repositories.path(AppName("../shop"))


def test_move_compares_and_sets(repositories: Repositories, commits: list[CommitId]) -> None:
    one, two, three = commits

    assert repositories.move(APP, MAIN, None, one)
    assert not repositories.move(APP, MAIN, None, two)
    assert not repositories.move(APP, MAIN, two, three)
    assert repositories.move(APP, MAIN, one, two)
    assert repositories.read(APP, MAIN) == two


def test_of_many_moves_at_once_one_wins(
    repositories: Repositories, commits: list[CommitId]
) -> None:
    one, two, three = commits
    repositories.move(APP, MAIN, None, one)
    start = threading.Barrier(8)
    won: list[bool] = []

    def race(new: CommitId) -> None:
        start.wait()
        won.append(repositories.move(APP, MAIN, one, new))

    threads = [threading.Thread(target=race, args=([two, three][n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(won) == [False] * 7 + [True]


def test_a_ref_never_points_at_what_is_not_there(
    repositories: Repositories, commits: list[CommitId]
) -> None:
    with pytest.raises(UserError, match="is not in the repository"):
        repositories.move(APP, MAIN, None, CommitId("a" * 40))
    assert repositories.read(APP, MAIN) is None


def test_a_ref_locked_by_another_program_is_busy(
    repositories: Repositories, commits: list[CommitId]
) -> None:
    (repositories.path(APP) / "refs" / "heads" / "main.lock").touch()

    with pytest.raises(Busy, match="locked by another program"):
        repositories.move(APP, MAIN, None, commits[0])


def test_a_ref_where_there_is_a_directory_is_refused(
    repositories: Repositories, commits: list[CommitId]
) -> None:
    assert repositories.move(APP, "refs/heads/a/b", None, commits[0])

    with pytest.raises(UserError, match="cannot be written"):
        repositories.move(APP, "refs/heads/a", None, commits[0])
    with pytest.raises(UserError, match="cannot be written"):
        repositories.move(APP, "refs/heads/a/b/c", None, commits[0])


def test_delete_compares_too(repositories: Repositories, commits: list[CommitId]) -> None:
    one, two, _ = commits
    repositories.move(APP, "refs/heads/deep/er", None, one)

    assert not repositories.delete(APP, "refs/heads/deep/er", two)
    assert repositories.delete(APP, "refs/heads/deep/er", one)
    assert repositories.read(APP, "refs/heads/deep/er") is None
    assert repositories.move(APP, "refs/heads/deep", None, one), "its directory is gone"


def test_rename_takes_everything_along(repositories: Repositories, commits: list[CommitId]) -> None:
    new = AppName("store")
    repositories.rename(APP, new)

    assert not repositories.exists(APP)
    assert repositories.read(new, "refs/heads/aside") == commits[-1]
    repositories.ensure(APP)
    with pytest.raises(UserError, match="has a repository already"):
        repositories.rename(APP, new)


def test_remove_leaves_nothing(repositories: Repositories, commits: list[CommitId]) -> None:
    root: Path = repositories.path(APP).parent
    repositories.remove(APP)
    repositories.remove(APP)

    assert list(root.iterdir()) == []
    assert repositories.read(APP, MAIN) is None
    assert repositories.source(APP, commits[0]) is None
    with pytest.raises(UnknownApp):
        repositories.refs(APP)
