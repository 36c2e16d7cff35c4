"""Trees that no git client would send: each is refused with a clear line and leaves no trace."""

from pathlib import Path

import pytest

from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService
from tests.unit.receive.client import Client
from tests.unit.receive.host import APP, Receiver
from tests.unit.receive.hostile.refusing import FILE, refused, with_pack
from tests.unit.receive.wire import BLOB_ID, ZERO, commit, name_of, pack, push_of_tree, say, tree

SUBTREE = name_of("tree", tree(FILE))


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        (tree(("100644", b"..", BLOB_ID)), "hasDotdot"),
        (tree(("40000", b"..", SUBTREE)), "hasDotdot"),
        (tree(("100644", b".", BLOB_ID)), "hasDot"),
        (tree(("40000", b".git", SUBTREE)), "hasDotgit"),
        (tree(("40000", b".GIT", SUBTREE)), "hasDotgit"),
        (tree(("40000", b".git ", SUBTREE)), "hasDotgit"),
        (tree(("40000", b"git~1", SUBTREE)), "hasDotgit"),
        (tree(("40000", ".g\u200cit".encode(), SUBTREE)), "hasDotgit"),
        (tree(("100644", b"a/b", BLOB_ID)), "fullPathname"),
        (tree(("100644", b"", BLOB_ID)), "refused"),
        (tree(("120000", b"a", BLOB_ID), ("40000", b"a", SUBTREE)), "duplicateEntries"),
        (tree(("100644", b"a", BLOB_ID), ("100644", b"a", BLOB_ID)), "duplicateEntries"),
        (tree(("100644", b"b", BLOB_ID), ("100644", b"a", BLOB_ID)), "treeNotSorted"),
        (tree(("120000", b".gitmodules", BLOB_ID)), "gitmodules"),
        (tree(("100644", b"f", ZERO)), "nullSha1"),
        (b"100644 file\0short", "refused"),
        (b"rubbish", "refused"),
        (tree(("100644", b"\\..\\x", BLOB_ID)), "climbs out"),
        (tree(("100644", b"..\\x", BLOB_ID)), "climbs out"),
        (tree(("100644", b"a\\.git\\x", BLOB_ID)), "hasDotgit"),
        (tree(("100644", b"a\x1b[31m", BLOB_ID)), "control characters"),
        (tree(("100644", b"a\nb", BLOB_ID)), "control characters"),
        (tree(("100644", b"x" * 256, BLOB_ID)), "longer name"),
        (
            tree(*[("100644", b"%03d" % number, BLOB_ID) for number in range(151)]),
            "more than 150 files",
        ),
    ],
)
def test_hostile_trees_are_refused(
    service: GitService, repository: Path, hostile: bytes, why: str
) -> None:
    answer = refused(service, repository, push_of_tree(tree(FILE), hostile))

    assert why in answer
    assert "\x1b" not in answer


@pytest.mark.parametrize("mode", ["104755", "102755", "100666", "777", "60000", "20000", "0"])
def test_modes_that_git_does_not_write_are_refused(
    service: GitService, repository: Path, mode: str
) -> None:
    below = tree((mode, b"tool", BLOB_ID))
    hostile = push_of_tree(below, tree(("40000", b"bin", name_of("tree", below))))

    assert f"an entry of mode {mode}" in refused(service, repository, hostile)


def test_modes_are_looked_at_when_the_tree_came_with_another_branch(
    service: GitService, repository: Path, receiver: Receiver
) -> None:
    hostile = tree(("104755", b"tool", BLOB_ID))
    assert say(service, push_of_tree(hostile, ref="stored"))[0] == 0

    new = name_of("commit", commit(name_of("tree", hostile)))

    assert "mode 104755" in refused(service, repository, with_pack(new, pack()))
    assert receiver.deployed == []


@pytest.mark.parametrize("mode", ["100664", "040000"])
def test_modes_of_old_histories_are_taken(service: GitService, repository: Path, mode: str) -> None:
    kind = SUBTREE if mode == "040000" else BLOB_ID

    status, answer = say(service, push_of_tree(tree(FILE), tree((mode, b"old", kind))))

    assert status == 0, answer


def test_a_tree_of_trees_without_any_file_is_refused(service: GitService, repository: Path) -> None:
    levels = [b""]
    for _ in range(30):
        below = name_of("tree", levels[-1])
        levels.append(tree(*[("40000", b"d%d" % number, below) for number in range(8)]))

    assert "more than 150 files or directories" in refused(
        service, repository, push_of_tree(*levels)
    )


def test_a_tree_of_trees_with_more_files_than_atoms_is_refused(
    service: GitService, repository: Path
) -> None:
    levels = [tree(*[("100644", b"f%d" % number, BLOB_ID) for number in range(8)])]
    for _ in range(30):
        below = name_of("tree", levels[-1])
        levels.append(tree(*[("40000", b"d%d" % number, below) for number in range(8)]))

    answer = refused(service, repository, push_of_tree(*levels))

    assert "more than 150 files" in answer


def test_a_tree_too_deep_is_refused(service: GitService, repository: Path) -> None:
    levels = [tree(FILE)]
    for _ in range(101):
        levels.append(tree(("40000", b"d", name_of("tree", levels[-1]))))

    assert "directories deep" in refused(service, repository, push_of_tree(*levels))


def test_a_tree_larger_than_allowed_is_refused(service: GitService, repository: Path) -> None:
    zeros = bytes(2**20 + 1)
    data = push_of_tree(tree(("100644", b"big", name_of("blob", zeros))), blobs=[zeros])

    assert "larger than 1,048,576 bytes" in refused(service, repository, data)


def test_submodules_are_warned_of(service: GitService, repository: Path) -> None:
    status, answer = say(service, push_of_tree(tree(FILE, ("160000", b"vendor", "e" * 40))))

    assert status == 0, answer
    assert "submodule vendor stays empty: submodules are not fetched" in answer


def test_a_replace_ref_changes_nothing_that_is_built(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    good = client.commit(file="good")
    bad = client.commit(file="bad")
    client.git("replace", good, bad)
    client.git("push", "deploy", "refs/replace/*:refs/replace/*", f"{bad}:refs/heads/bad")

    client.git("push", "deploy", f"{good}:refs/heads/main")

    source = repositories.source(APP, good)
    assert source
    assert source.reader.read("file") == b"good"
