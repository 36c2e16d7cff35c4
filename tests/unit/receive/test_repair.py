"""Repositories after a loss of power: each file that git or we keep, damaged in every way."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pushdeploy.domain.names import AppName, CommitId
from pushdeploy.receive.repair import ATTRIBUTES, Repair
from pushdeploy.receive.repositories import Repositories
from tests.unit.receive.client import Client
from tests.unit.receive.host import APP

MAIN = "refs/heads/main"

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "garbage": lambda content: bytes(200) + b"\xff\xfe no such thing\n" + content[:20],
    "zeros": lambda content: bytes(len(content)),
}


@pytest.fixture
def known() -> dict[str, CommitId]:
    """What the ledger says; each test fills it."""
    return {}


@pytest.fixture
def repositories(tmp_path: Path, known: dict[str, CommitId]) -> Repositories:
    return Repositories(tmp_path / "repositories", lambda _: known)


@pytest.fixture
def head(client: Client, repositories: Repositories, known: dict[str, CommitId]) -> CommitId:
    """A commit that the server has on main, as the ledger knows."""
    commit = client.commit(file="content")
    client.git("push", "-q", "deploy", "main")
    repositories.keep(APP, commit)
    known[MAIN] = commit
    return commit


def packed(client: Client, repositories: Repositories) -> Path:
    directory = repositories.path(APP)
    client.git("--git-dir", str(directory), "pack-refs", "--all")
    return directory / "packed-refs"


def empty_objects(directory: Path) -> None:
    for path in (directory / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"")


def assert_serves(client: Client, head: CommitId) -> None:
    """Looked at, cloned and pushed to as if nothing had been."""
    assert client.git("ls-remote", "deploy", MAIN).split()[0] == head
    client.git("fetch", "-q", "deploy")
    client.commit(file="next")
    client.git("push", "-q", "deploy", "main")


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "name", [MAIN, "packed-refs", "HEAD", "config", "info/attributes", "shallow"]
)
def test_a_damaged_file_is_mended_when_somebody_comes(
    client: Client, repositories: Repositories, head: CommitId, name: str, damage: str
) -> None:
    path = repositories.path(APP) / name
    if name == "packed-refs":
        packed(client, repositories)
    before = path.read_bytes() if path.exists() else f"{head}\n".encode()
    path.write_bytes(DAMAGE[damage](before))

    assert_serves(client, head)
    assert Repair(repositories.path(APP)).damages() == []
    assert (repositories.path(APP) / "info" / "attributes").read_text() == ATTRIBUTES


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_start_mends_what_nobody_has_come_to(
    client: Client, repositories: Repositories, head: CommitId, damage: str
) -> None:
    directory = repositories.path(APP)
    (directory / MAIN).write_bytes(DAMAGE[damage](f"{head}\n".encode()))
    kept = directory / "refs" / "pushdeploy" / "commits" / head
    kept.write_bytes(DAMAGE[damage](f"{head}\n".encode()))
    (directory / "HEAD.lock").touch()
    (directory / MAIN).with_suffix(".lock").touch()
    (directory / "packed-refs.lock").touch()
    assert repositories.damages() == [f"{MAIN} of shop", f"refs/pushdeploy/commits/{head} of shop"]

    repositories.sweep()

    assert repositories.read(APP, MAIN) == head
    assert kept.read_text() == f"{head}\n"
    assert list(directory.rglob("*.lock")) == []
    assert repositories.damages() == []
    assert f"{MAIN} is at {head.short} again" in repositories.news(APP)
    assert repositories.news(APP) == ()


def test_a_repository_without_its_head_file_and_directories_is_one_again(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    directory = repositories.path(APP)
    packed(client, repositories)
    (directory / "HEAD").unlink()
    for name in ("refs/heads", "refs/tags"):
        (directory / name).rmdir()
    assert_serves(client, head)


@pytest.mark.parametrize("damage", [*DAMAGE, "gone"])
@pytest.mark.parametrize("suffix", [".idx", ".pack"])
def test_a_damaged_pack_is_mended_and_the_next_push_brings_what_was_lost(
    client: Client, repositories: Repositories, head: CommitId, suffix: str, damage: str
) -> None:
    for path in (repositories.path(APP) / "objects/pack").glob(f"*{suffix}"):
        content = path.read_bytes()
        path.unlink()
        if damage != "gone":
            path.write_bytes(DAMAGE[damage](content))

    listed = client.git("ls-remote", "deploy", MAIN)
    client.commit(file="next")
    status, output = client.run("push", "deploy", "main")

    assert (suffix == ".pack", listed) in [(False, f"{head}\t{MAIN}"), (True, "")]
    assert status == 0, output
    assert "the repository was mended: objects/pack/pack-" in output
    client.git("clone", "-q", client.git("remote", "get-url", "deploy").strip(), "cloned")
    git_says = client.run("--git-dir", str(repositories.path(APP)), "fsck", "--full")
    assert git_says[0] == 0, git_says
    assert Repair(repositories.path(APP)).is_sound()


def test_what_can_be_read_of_a_damaged_pack_is_kept(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    directory = repositories.path(APP)
    [pack] = (directory / "objects/pack").glob("*.pack")
    whole = pack.read_bytes()
    pack.unlink()
    pack.write_bytes(whole[:-20] + bytes(20))

    assert f"refs/heads/main at {head}" not in "".join(Repair(directory).mend({}))

    assert client.git("ls-remote", "deploy", MAIN).split()[0] == head
    assert [each.name for each in (directory / "damaged").iterdir()] == [pack.name]


def test_a_pack_with_wrong_bytes_in_its_middle_is_mended_after_a_start(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    [pack] = (repositories.path(APP) / "objects/pack").glob("*.pack")
    whole = pack.read_bytes()
    pack.unlink()
    middle = len(whole) // 2
    pack.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    assert repositories.damages() == [f"objects/pack/{pack.name} of {APP}"]

    repositories.sweep()
    status, output = client.run("push", "deploy", "main")

    assert status == 0, output
    assert f"objects/pack/{pack.name} was damaged: what can be read is kept" in output
    assert_serves(client, head)


@pytest.mark.parametrize("gone", ["objects", "objects/pack"])
@pytest.mark.parametrize("stays", [True, False])
def test_objects_that_are_gone_as_a_whole_come_with_the_next_push(
    client: Client, repositories: Repositories, head: CommitId, gone: str, stays: bool
) -> None:
    directory = repositories.path(APP) / gone
    shutil.rmtree(directory)
    if stays:
        directory.mkdir()
    status, output = client.run("push", "deploy", "main")
    assert status == 0, output
    assert client.git("ls-remote", "deploy", MAIN).split()[0] == head


def test_an_empty_directory_in_a_branchs_place_and_locks_keep_nothing_from_moving(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    directory = repositories.path(APP)
    (directory / MAIN).unlink()
    (directory / MAIN / "deeper").mkdir(parents=True)
    for name in ("HEAD", "packed-refs", "refs/heads/main", "refs/tags/one"):
        (directory / f"{name}.lock").write_bytes(b"")
    assert set(repositories.damages()) >= {f"{MAIN} of {APP}"}
    assert_serves(client, head)
    client.git("push", "-q", "deploy", "main:refs/tags/one")


def test_a_branch_whose_commit_is_lost_is_brought_again_by_the_next_push(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    directory = repositories.path(APP)
    empty_objects(directory)

    repositories.sweep()
    repositories.look_over(threading.Event())

    assert repositories.read(APP, MAIN) is None
    assert any("the next push brings it" in line for line in repositories.news(APP))
    client.git("push", "-q", "deploy", "main")
    assert repositories.read(APP, MAIN) == head


def test_a_start_looks_at_no_object(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    directory = repositories.path(APP)
    empty_objects(directory)
    repositories.sweep()
    assert repositories.read(APP, MAIN) == head
    assert repositories.news(APP) == ()
    assert repositories.damages() != []


def test_who_comes_before_the_objects_were_looked_at_finds_them_mended(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    empty_objects(repositories.path(APP))
    repositories.sweep()
    client.git("push", "-q", "deploy", "main")
    assert repositories.read(APP, MAIN) == head
    assert repositories.damages() == []


def test_one_repository_that_cannot_be_looked_at_keeps_no_other_from_it(
    client: Client, repositories: Repositories, head: CommitId, caplog: pytest.LogCaptureFixture
) -> None:
    """A file is where the directory should be, and the repository is damaged besides."""
    blog = repositories.root / "blog.git"
    blog.mkdir()
    repositories.sweep()
    shutil.rmtree(blog / "objects")
    (blog / "objects").write_text("what is this?")
    (blog / "HEAD").write_text("")
    empty_objects(repositories.path(APP))
    repositories.look_over(threading.Event())
    assert "app=blog its repository cannot be looked at" in caplog.text
    assert repositories.read(APP, MAIN) is None


@pytest.mark.parametrize("name", ["", "objects", "refs", "info"])
def test_a_start_names_a_repository_that_cannot_be_mended_and_serves_the_others(
    client: Client,
    repositories: Repositories,
    head: CommitId,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    """A file is where a directory should be, or the repository itself."""
    blog = AppName("blog")
    repositories.ensure(blog)
    in_the_way = repositories.path(blog) / name
    shutil.rmtree(in_the_way)
    in_the_way.write_text("what is this?")
    (repositories.path(APP) / MAIN).write_bytes(b"")

    repositories.sweep()

    assert "app=blog its repository cannot be mended" in caplog.text
    assert any(line.endswith(" of blog") for line in repositories.damages())
    assert_serves(client, head)
    client.git("remote", "set-url", "deploy", "deploy@host:blog")
    status, said = client.run("push", "deploy", "main")
    assert status != 0
    assert "the repository of blog is damaged and cannot be mended" in said
    shutil.move(repositories.path(blog), repositories.root / "blog.git.damaged")
    client.git("push", "-q", "deploy", "main")


@pytest.mark.parametrize("name", ["pack/tmp_pack_Xy1", "pack/.tmp-7-pack-1", "aa/tmp_obj_Xy1"])
def test_what_is_just_being_written_is_left_alone(
    client: Client, repositories: Repositories, head: CommitId, name: str
) -> None:
    path = repositories.path(APP) / "objects" / name
    repositories.sweep()
    path.parent.mkdir(exist_ok=True)
    path.touch()
    repositories.look_over(threading.Event())
    assert path.exists()
    assert repositories.news(APP) == ()


def test_a_person_who_pushes_is_told(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    (repositories.path(APP) / MAIN).write_bytes(b"")
    client.commit(file="next")
    _, said = client.run("push", "deploy", "main")
    assert f"the repository was mended: {MAIN} is at {head.short} again" in said


def test_branches_that_the_ledger_does_not_know_are_lost_and_said(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    client.git("push", "-q", "deploy", "main:aside")
    (repositories.path(APP) / "refs" / "heads" / "aside").write_bytes(b"")
    repositories.sweep()
    assert repositories.read(APP, "refs/heads/aside") is None
    assert repositories.read(APP, MAIN) == head
    assert repositories.news(APP) == ["refs/heads/aside was damaged"]


def test_a_sound_repository_is_left_as_it_is(
    client: Client, repositories: Repositories, head: CommitId
) -> None:
    packed(client, repositories)
    directory = repositories.path(APP)
    before = {path: path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()}
    repositories.sweep()
    assert repositories.news(AppName("shop")) == ()
    after = {path: path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()}
    assert after == before
