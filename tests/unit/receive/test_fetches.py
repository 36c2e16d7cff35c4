"""Clone, fetch and ls-remote with a real git client."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService
from tests.unit.receive.client import Client
from tests.unit.receive.host import APP, Host, OpenGate, Receiver
from tests.unit.receive.wire import line, say


@pytest.fixture
def pushed(client: Client) -> Client:
    """Five commits on main, another branch, two tags."""
    for number in range(5):
        client.commit(file=str(number))
    client.git("tag", "-a", "-m", "one", "v1", "main~2")
    client.git("tag", "light")
    client.git("push", "-q", "deploy", "main", "main~1:refs/heads/side", "v1", "light")
    return client


@pytest.fixture
def clone(pushed: Client, host: object, tmp_path: Path) -> Callable[..., Client]:
    def make(*arguments: str) -> Client:
        folder = tmp_path / "clone"
        pushed.git("clone", *arguments, "deploy@host:shop", str(folder))
        return Client(folder, pushed.address)

    return make


def test_clone_brings_everything_that_is_public(
    pushed: Client, clone: Callable[..., Client]
) -> None:
    cloned = clone()

    assert (cloned.folder / "file").read_text() == "4"
    assert cloned.git("rev-list", "--count", "--all") == "5"
    assert cloned.git("tag") == "light\nv1"
    cloned.git("fsck", "--strict")


def test_no_client_sees_the_servers_own_refs(pushed: Client) -> None:
    assert "pushdeploy" not in pushed.git("ls-remote", "deploy")
    status, output = pushed.run("fetch", "deploy", "refs/pushdeploy/*:refs/stolen/*")
    assert status == 0, output
    assert pushed.git("for-each-ref", "refs/stolen") == ""


def test_a_commit_that_only_the_server_holds_cannot_be_asked_for(
    pushed: Client, service: GitService, clone: Callable[..., Client]
) -> None:
    hidden = pushed.commit(file="hidden")
    pushed.git("push", "-q", "deploy", "main")
    pushed.git("push", "-q", "--force", "deploy", "main~1:main")

    status, answer = say(
        service,
        line(f"want {hidden} side-band-64k ofs-delta thin-pack\n") + b"0000" + line("done\n"),
        git="git-upload-pack",
    )

    assert status == 1
    assert "ERR the client broke the git protocol: Client wants invalid object" in answer
    assert "PACK" not in answer


def test_ls_remote_shows_head_branches_and_peeled_tags(pushed: Client) -> None:
    output = pushed.git("ls-remote", "--symref", "deploy")

    names = [line.split("\t")[1] for line in output.splitlines()]
    assert names == [
        "HEAD",  # as a symref
        "HEAD",
        "refs/heads/main",
        "refs/heads/side",
        "refs/tags/light",
        "refs/tags/v1",
        "refs/tags/v1^{}",
    ]
    assert output.startswith("ref: refs/heads/main\tHEAD")


def test_fetch_brings_what_is_new_and_follows_tags(
    pushed: Client, clone: Callable[..., Client]
) -> None:
    cloned = clone("-b", "side")
    cloned.commit(mine="local work")
    commit = pushed.commit(file="5")
    pushed.git("tag", "-a", "-m", "two", "v2")
    pushed.git("push", "-q", "deploy", "main", "v2")

    output = cloned.git("fetch", "--progress")

    assert "v2" in output
    assert cloned.git("rev-parse", "origin/main") == commit
    cloned.git("fsck", "--strict")
    assert cloned.git("fetch") == ""


def test_shallow_clone_can_fetch_deepen_and_become_whole(
    pushed: Client, clone: Callable[..., Client]
) -> None:
    cloned = clone("--depth", "1")
    assert "in-pack: 3\n" in cloned.git("count-objects", "-v") + "\n"
    assert cloned.git("rev-list", "--count", "origin/main") == "1"

    pushed.commit(file="5")
    pushed.git("push", "-q", "deploy", "main")
    cloned.git("fetch", "-q")
    assert cloned.git("rev-list", "--count", "origin/main") == "2"

    cloned.git("fetch", "-q", "--depth", "4")
    assert cloned.git("rev-list", "--count", "origin/main") == "4"

    cloned.git("fetch", "-q", "--depth", "2")
    assert cloned.git("rev-list", "--count", "origin/main") == "2"

    cloned.git("fetch", "-q", "--unshallow")
    assert cloned.git("rev-list", "--count", "origin/main") == "6"
    cloned.git("fsck", "--strict")


def test_shallow_clone_of_branches_and_a_merge_is_as_by_git_alone(
    client: Client, clone: Callable[..., Client], repositories: Repositories, tmp_path: Path
) -> None:
    client.git("checkout", "-q", "-b", "topic", "main~3")
    client.commit(topic="1")
    client.commit(topic="2")
    client.git("checkout", "-q", "main")
    client.git("merge", "-q", "-m", "merge", "topic")
    client.git("push", "-q", "deploy", "main", "topic")

    cloned = clone("--depth", "2", "--no-single-branch")
    other = tmp_path / "by git alone"
    url = f"file://{repositories.path(APP)}"
    client.git("clone", "-q", "--depth", "2", "--no-single-branch", url, str(other))
    reference = Client(other, client.address)

    for depth in (2, 3):
        cloned.git("fetch", "-q", "--depth", str(depth))
        reference.git("fetch", "-q", "--depth", str(depth))
        assert commits_of(cloned) == commits_of(reference)
        cloned.git("fsck", "--strict")


def commits_of(client: Client) -> list[str]:
    return sorted(client.git("rev-list", "--all", "--parents").splitlines())


def test_a_clone_of_an_empty_repository_is_empty(
    client: Client, repositories: Repositories, tmp_path: Path
) -> None:
    repositories.ensure(APP)

    output = client.git("clone", "deploy@host:shop", str(tmp_path / "clone"))

    assert "empty repository" in output


def test_an_unknown_app_is_named(client: Client, tmp_path: Path) -> None:
    status, output = client.run("clone", "deploy@host:nobody", str(tmp_path / "clone"))

    assert status == 128
    assert "fatal: remote error: app nobody does not exist" in output


def test_a_pack_that_cannot_be_made_is_an_error_at_the_client(
    pushed: Client, repositories: Repositories, receiver: Receiver, tmp_path: Path
) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    host = Host(
        folder, GitService(repositories, receiver, PackLimits(memory_bytes=2**20), OpenGate())
    )
    starved = Client(pushed.folder, host.address)

    status, output = starved.run("clone", "deploy@host:shop", str(tmp_path / "clone"))
    host.close()

    assert status == 128
    assert "remote: the objects cannot be packed" in output
    assert not (tmp_path / "clone").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"zzzz",
        line("want me\n") + b"0000",
        line(f"want {'a' * 40} side-band-64k ofs-delta thin-pack\n") + b"0000",
        line(f"have {'a' * 40}\n") + b"0000",
        line("deepen 1\n") + b"0000",
    ],
)
def test_malformed_requests_are_refused(
    pushed: Client, service: GitService, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    status, answer = say(service, data, git="git-upload-pack")

    assert status == 1
    assert "ERR the client broke the git protocol" in answer
    assert "Traceback" not in caplog.text
