"""What a real git client can do when it pushes."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.source import Source
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService
from tests.unit.receive.client import Client, until
from tests.unit.receive.host import ALICE, APP, Receiver
from tests.unit.receive.wire import ZERO


def test_first_push_makes_the_app_and_deploys_main(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    commit = client.commit(Procfile="web: true\n")

    status, output = client.run("push", "deploy", "main")

    assert status == 0, output
    assert receiver.apps == {APP}
    assert receiver.deployed == [("refs/heads/main", commit)]
    assert repositories.read(APP, "refs/heads/main") == commit
    assert repositories.read(APP, f"refs/pushdeploy/commits/{commit}") == commit


def test_a_second_push_sends_only_what_is_new(client: Client, receiver: Receiver) -> None:
    client.commit(**{f"file{number}": str(number) * 2000 for number in range(20)})
    client.git("push", "deploy", "main")
    second = client.commit(file3="3" * 2000 + "more")

    output = client.git("push", "--progress", "deploy", "main")

    assert "Total 3 (delta 2)" in output, "commit, and thin deltas of the tree and the file"
    assert receiver.deployed[-1] == ("refs/heads/main", second)


def test_the_receiver_sees_the_tree_while_the_ref_has_not_moved(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    seen = []

    def look(source: Source, output: Output, cancellation: Cancellation) -> None:
        paths = [entry.path for entry in source.reader.entries()]
        seen.append((paths, source.reader.read("Procfile"), source.commit.short))
        assert repositories.read(APP, "refs/heads/main") is None

    receiver.deploying = look
    commit = client.commit(Procfile="web: true\n", **{"a/b": "1"})
    client.git("push", "deploy", "main")

    assert seen == [(["Procfile", "a/b"], b"web: true\n", commit.short)]


def test_output_of_the_deploy_reaches_a_client_without_a_terminal(
    client: Client, receiver: Receiver
) -> None:
    def build(source: Source, output: Output, cancellation: Cancellation) -> None:
        with output.step("Building"):
            output.line("naïve output ✓")
        output.trouble("look here")

    receiver.deploying = build
    client.commit()

    output = client.git("push", "--quiet", "deploy", "main")

    lines = [line.rstrip() for line in output.splitlines()]
    assert lines[:3] == [
        "remote: -----> Made app shop",
        "remote: -----> Building",
        "remote: naïve output ✓",
    ]
    assert lines[3].startswith("remote:        done in ")
    assert lines[4] == "remote:  !     look here"


def test_other_branches_and_tags_are_stored_with_a_notice(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    commit = client.commit()
    client.git("tag", "-a", "-m", "one", "v1")
    client.git("tag", "light")

    output = client.git("push", "deploy", "main:feature/x", "v1", "light")

    assert "-----> Stored branch feature/x; only main deploys" in output
    assert "-----> Stored tag v1; only main deploys" in output
    assert receiver.deployed == []
    assert repositories.read(APP, "refs/heads/feature/x") == commit
    assert repositories.read(APP, "refs/tags/v1") == client.git("rev-parse", "v1")
    assert receiver.apps == {APP}, "an app that holds a branch is not taken away"


@pytest.mark.parametrize("word", ["v1", "nested", "light"])
def test_a_tag_that_is_pushed_as_main_deploys_its_commit(
    client: Client, receiver: Receiver, repositories: Repositories, word: str
) -> None:
    first = client.commit(file="1")
    client.git("tag", "-a", "-m", "one", "v1")
    client.git("tag", "-a", "-m", "of a tag", "nested", "v1")
    client.git("tag", "light")

    status, output = client.run("push", "deploy", f"{word}:main")

    assert status == 0, output
    assert receiver.deployed == [("refs/heads/main", first)]
    assert repositories.read(APP, "refs/heads/main") == first
    assert repositories.read(APP, "refs/tags/main") is None
    second = client.commit(file="2")
    client.git("push", "deploy", "main")
    client.git("tag", "-a", "-m", "two", "v2")
    client.git("push", "deploy", "v2:main")
    client.git("push", "--force", "deploy", f"{word}:refs/heads/main")
    deployed = [commit for _, commit in receiver.deployed]
    assert deployed == [first, second, second, first]


def test_a_branch_that_gets_a_tag_gets_its_commit(
    client: Client, repositories: Repositories
) -> None:
    commit = client.commit()
    client.git("tag", "-a", "-m", "one", "v1")
    client.git("push", "deploy", "main", "v1:refs/heads/stable", "v1:refs/tags/v1")
    assert repositories.read(APP, "refs/heads/stable") == commit
    assert repositories.read(APP, "refs/tags/v1") == client.git("rev-parse", "v1")


def test_a_tag_of_no_commit_deploys_nothing(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    client.commit(file="1")
    client.git("tag", "-a", "-m", "a tree", "tree", "HEAD^{tree}")
    client.git("tag", "-a", "-m", "a blob", "blob", "HEAD:file")
    for word in ("tree:main", "tree:refs/heads/main", "blob:refs/heads/main"):
        status, output = client.run("push", "deploy", word)
        assert (status, "a branch is a commit, this is a tag of no commit" in output) == (1, True)
    assert receiver.deployed == []
    assert receiver.apps == set()


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("refs/tags", "main"),
        *product(("refs/heads", "refs/tags"), ("heads/main", "refs/heads/main")),
    ],
)
def test_a_ref_that_would_make_the_deploy_branch_ambiguous_is_refused(
    client: Client, repositories: Repositories, place: str, name: str
) -> None:
    ref = f"{place}/{name}"
    client.commit()
    client.git("push", "deploy", "main")
    client.git("tag", "-a", "-m", "one", "v1")

    status, output = client.run("push", "deploy", f"v1:{ref}")

    assert status == 1
    assert f"{name} would make pushes of the branch main ambiguous" in output
    assert repositories.read(APP, ref) is None
    client.commit()
    client.git("push", "deploy", "main", "main:refs/heads/refs/heads/other")


def test_a_tag_of_no_commit_is_not_said_to_deploy(client: Client) -> None:
    commit = client.commit()
    client.git("push", "deploy", "main")
    client.git("tag", "tree", "HEAD^{tree}")
    client.git("tag", "-a", "-m", "one", "v1")
    client.git("tag", "-a", "-m", "two", "nested", "v1")
    output = client.git("push", "deploy", "--tags")
    assert "Stored tag tree" in output
    assert output.count(f"to deploy it:  git push deploy {commit.short}:refs/heads/main") == 2


def test_what_does_not_deploy_says_how_it_would(client: Client) -> None:
    client.commit()
    client.git("push", "deploy", "main")
    commit = client.commit(file="aside")
    output = client.git("push", "deploy", "HEAD:feature/x")
    assert f"to deploy it:  git push deploy {commit.short}:refs/heads/main" in output
    client.git("push", "deploy", f"{commit.short}:refs/heads/main")


def test_a_push_that_makes_an_app_says_so_once(client: Client) -> None:
    client.commit()
    assert "-----> Made app shop" in client.git("push", "deploy", "main")
    client.commit(file="2")
    assert "Made app" not in client.git("push", "deploy", "main")


def test_master_deploys_where_the_receiver_says_so(
    client: Client, receiver: Receiver, repositories: Repositories, tmp_path: Path
) -> None:
    commit = client.commit(file="1")
    client.git("push", "deploy", "main:master")

    assert receiver.deployed == [("refs/heads/master", commit)]
    client.git("clone", "-q", "deploy@host:shop", str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "file").exists(), "HEAD follows the deploy branch"


def test_the_deploy_goes_before_the_other_refs_of_the_same_push(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    def look(source: Source, output: Output, cancellation: Cancellation) -> None:
        assert repositories.read(APP, "refs/heads/a") is None

    receiver.deploying = look
    client.commit()
    output = client.git("push", "deploy", "main:a", "main", "main:z")

    assert output.count("[new branch]") == 3
    assert len(receiver.deployed) == 1


def test_force_push_replaces_history(client: Client, receiver: Receiver) -> None:
    first = client.commit(file="1")
    client.commit(file="2")
    client.git("push", "deploy", "main")
    client.git("reset", "-q", "--hard", first)

    assert client.run("push", "deploy", "main")[0] == 1
    output = client.git("push", "--force", "deploy", "main")

    assert "(forced update)" in output
    assert receiver.deployed[-1] == ("refs/heads/main", first)


def test_dry_run_changes_nothing_and_leaves_no_app(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    client.commit()

    assert "[new branch]" in client.git("push", "--dry-run", "deploy", "main")

    assert receiver.apps == set()
    assert not repositories.exists(APP)


def test_branches_can_be_deleted_but_not_the_one_that_deploys(
    client: Client, repositories: Repositories
) -> None:
    commit = client.commit()
    client.git("push", "deploy", "main", "main:old")

    status, output = client.run("push", "deploy", ":old", ":main")

    assert status == 1
    assert "- [deleted]         old" in output
    assert "main is deployed; apps:destroy shop removes the app" in output
    assert repositories.read(APP, "refs/heads/old") is None
    assert repositories.read(APP, "refs/heads/main") == commit


def test_atomic_push_is_refused_as_a_whole(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    client.commit()

    refs = ["main", "main:other", "main:refs/pushdeploy/mine"]
    status, output = client.run("push", "--atomic", "deploy", *refs)

    assert status == 1
    assert "refs/pushdeploy/ is the server's own" in output
    assert output.count("atomic push failed") == 2
    assert receiver.deployed == []
    assert not repositories.exists(APP)


def test_atomic_push_that_is_fine_moves_everything(client: Client, receiver: Receiver) -> None:
    client.commit()

    client.git("push", "--atomic", "deploy", "main", "main:other")

    assert len(receiver.deployed) == 1
    assert "refs/heads/other" in client.git("ls-remote", "deploy")


def test_push_options_are_taken_and_said_to_have_no_meaning(client: Client) -> None:
    client.commit()

    output = client.git("push", "-o", "ci.skip", "-o", "x=y", "deploy", "main")

    assert "push option ci.skip has no meaning here" in output


def test_shallow_clone_of_a_ci_server_can_push(
    client: Client,
    new_client: Callable[[str], Client],
    repositories: Repositories,
    tmp_path: Path,
) -> None:
    for number in range(5):
        client.commit(file=str(number))
    ci = new_client("ci")
    ci.git("fetch", "-q", "--depth", "1", f"file://{client.folder}", "main")
    ci.git("reset", "-q", "--hard", "FETCH_HEAD")

    ci.git("push", "deploy", "main")
    next_commit = ci.commit(file="next")
    ci.git("push", "deploy", "main")

    assert repositories.read(APP, "refs/heads/main") == next_commit
    assert len(repositories.shallow(APP)) == 1
    client.git("--git-dir", str(repositories.path(APP)), "fsck", "--strict")
    ci.git("clone", "-q", "deploy@host:shop", str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "file").read_text() == "next"


def test_full_clone_can_push_onto_what_a_shallow_one_pushed(
    client: Client, new_client: Callable[[str], Client], repositories: Repositories
) -> None:
    for number in range(5):
        client.commit(file=str(number))
    ci = new_client("ci")
    ci.git("fetch", "-q", "--depth", "1", f"file://{client.folder}", "main")
    ci.git("push", "deploy", "FETCH_HEAD:refs/heads/main")

    status, output = client.run("push", "deploy", "main~3:refs/heads/older")
    assert status == 1
    assert "from a shallow clone" in output, "clients leave out what they think is here"
    commit = client.commit(file="on top")
    client.git("push", "deploy", "main")

    assert repositories.read(APP, "refs/heads/main") == commit
    client.git("--git-dir", str(repositories.path(APP)), "fsck", "--strict")


def test_shallow_push_that_is_complete_here_leaves_history_whole(
    client: Client, new_client: Callable[[str], Client], repositories: Repositories
) -> None:
    client.commit(file="1")
    client.commit(file="2")
    client.git("push", "deploy", "main")
    ci = new_client("ci")
    ci.git("fetch", "-q", "--depth", "1", "deploy", "main")
    ci.git("reset", "-q", "--hard", "FETCH_HEAD")
    ci.commit(file="3")

    ci.git("push", "deploy", "main")

    assert repositories.shallow(APP) == set()


def test_after_receive_is_told_of_each_ref_that_moved(
    client: Client, service: GitService, receiver: Receiver, repositories: Repositories
) -> None:
    moved: list[tuple[str, str, str]] = []

    def told(app: AppName, ref: str, old: str, new: str, by: KeyName, output: Output) -> None:
        assert (app, by) == (APP, ALICE)
        moved.append((ref, old, new))
        output.line("post-receive ran")

    service._after_receive = told
    first = client.commit()
    client.git("push", "deploy", "main:old")
    second = client.commit()
    status, output = client.run("push", "deploy", "main", "main:refs/pushdeploy/x", ":old")

    assert status == 1
    assert output.count("post-receive ran") == 2
    assert moved[0] == ("refs/heads/old", ZERO, first)
    assert set(moved[1:]) == {("refs/heads/old", first, ZERO), ("refs/heads/main", ZERO, second)}


def test_a_failing_after_receive_does_not_take_the_push_back(
    client: Client, service: GitService, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the hook is broken")

    service._after_receive = fail
    client.commit()

    output = client.git("push", "deploy", "main")

    assert "internal error, see the server's log under id" in output
    assert "the hook is broken" in caplog.text


def test_many_packs_are_put_together_in_the_background(
    client: Client, service: GitService, repositories: Repositories
) -> None:
    for number in range(21):
        client.commit(file=str(number))
        client.git("push", "deploy", "main")
    packs = repositories.path(APP) / "objects" / "pack"

    until(lambda: len(list(packs.glob("*.pack"))) <= 2 and not list(packs.glob(".tmp*")))
    client.git("--git-dir", str(repositories.path(APP)), "fsck", "--strict", "--connectivity-only")
