"""What no git client would send: each is refused with a clear line and leaves no trace."""

import hashlib
import io
import struct
from pathlib import Path

import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.receive.pack import PackRefused, refusal
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService, PackLimits, app_in
from tests.unit.receive.client import Client, files_in
from tests.unit.receive.host import APP, Receiver
from tests.unit.receive.wire import (
    BLOB,
    BLOB_ID,
    OFS_DELTA,
    ZERO,
    BytesSession,
    commands,
    commit,
    copies,
    entry,
    line,
    name_of,
    offset,
    pack,
    push_of_tree,
    say,
    tree,
)

FILE = ("100644", b"file", BLOB_ID)
MAIN = "refs/heads/main"
HARMLESS = push_of_tree(tree(FILE))


@pytest.fixture
def limits() -> PackLimits:
    return PackLimits(
        pack_bytes=2**20, memory_bytes=2**29, tree_files=150, tree_bytes=2**20, commands=20
    )


@pytest.fixture
def repository(service: GitService, repositories: Repositories) -> Path:
    """One that holds something already."""
    status, answer = say(service, push_of_tree(tree(("100644", b"first", BLOB_ID)), ref="dev"))
    assert status == 0, answer
    return repositories.path(APP)


def refused(service: GitService, repository: Path, data: bytes) -> str:
    """The answer to ``data``, which must be a refusal that changes nothing."""
    before = files_in(repository)
    status, answer = say(service, data)
    assert status == 1, answer
    assert "internal error" not in answer
    assert files_in(repository) == before
    return answer


def test_what_is_refused_below_would_be_taken_without_its_fault(
    service: GitService, repository: Path, receiver: Receiver
) -> None:
    status, answer = say(service, HARMLESS)

    assert status == 0, answer
    assert f"ok {MAIN}" in answer
    assert len(receiver.deployed) == 1


# ------------------------------------------------------------------------------- names


@pytest.mark.parametrize("path", ["shop", "/shop", "shop.git", "/shop.git", "/shop/", "shop.git/"])
def test_an_app_has_several_paths(path: str) -> None:
    assert app_in(path) == APP


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "..",
        "../../etc",
        "/../shop",
        "shop/../other",
        "/etc/passwd",
        "~/shop",
        "~root",
        "shop;id",
        "$(id)",
        "`id`",
        "shop'",
        '"shop"',
        "shop\n",
        "shop\0",
        "%2e%2e",
        "-oProxyCommand=x",
        "--upload-pack=x",
        "Shop",
        "shöp",
        "a" * 31,
        "sh op",
        ".git",
        "shop.git.git",
        "//shop",
        "shop//",
        ".draft-0123",
    ],
)
@pytest.mark.parametrize("git", ["git-receive-pack", "git-upload-pack"])
def test_bad_repository_names_are_refused_with_the_rule(
    service: GitService, repositories: Repositories, tmp_path: Path, path: str, git: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    session = BytesSession(io.BytesIO(b""))

    assert service.serve(git, path, session) == 1

    answer = session.answer.decode()
    assert answer[4:].startswith("ERR ")
    assert "is not an app name: use 1 to 30 lower-case letters" in answer
    assert answer.count("\n") == 1
    assert str(tmp_path) not in answer
    assert sorted(tmp_path.rglob("*")) == before


def test_other_git_services_are_not_there(service: GitService) -> None:
    status, answer = say(service, b"", git="git-upload-archive")

    assert status == 1
    assert "ERR git-upload-archive is not served" in answer


# ------------------------------------------------------------------------------- pkt-lines


@pytest.mark.parametrize(
    "data",
    [
        b"zzzz",
        b"-001",
        b"0x10",
        b"0002",
        b"0003",
        b"0004",
        b"ffff",
        b"00",
        b"0010abc",
        line("no command at all"),
        line(f"{ZERO} {ZERO}\0 report-status") + b"0000",
        line(f"{ZERO} {'g' * 40} {MAIN}\0 report-status") + b"0000",
        line(f"{ZERO} {'a' * 64} {MAIN}\0 report-status") + b"0000",
        line(f"{ZERO} {'a' * 40} {MAIN}\0 report-status\0again") + b"0000",
        line(f"{ZERO} {'a' * 40} {MAIN}\0 report-status push-cert=x") + b"0000",
        line(f"{ZERO} {'a' * 40} {MAIN}\0 object-format=sha256") + b"0000",
        line(f"{ZERO} {'a' * 40} {MAIN} extra words\0 report-status") + b"0000",
        line("shallow nonsense") + b"0000",
        line("push-cert\0report-status") + b"0000",
    ],
)
def test_malformed_lines_are_refused(
    service: GitService, repository: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    refused(service, repository, data)

    assert "Traceback" not in caplog.text


def test_more_refs_than_allowed_are_refused(service: GitService, repository: Path) -> None:
    many = commands(*[(ZERO, "a" * 40, f"refs/heads/b{number}") for number in range(21)])

    assert "more than 20 refs in one push" in refused(service, repository, many)


def test_more_shallow_lines_than_allowed_are_refused(service: GitService, repository: Path) -> None:
    many = b"".join(line(f"shallow {number:040x}") for number in range(1001))

    assert "more than 1,000 shallow commits" in refused(service, repository, many + HARMLESS)


@pytest.mark.parametrize(
    "ref",
    [
        "HEAD",
        "main",
        "refs/main",
        "refs/heads/",
        "refs/heads/..",
        "refs/heads/../../config",
        "refs/heads/a..b",
        "refs/heads/a.lock",
        "refs/heads/.hidden",
        "refs/heads/a//b",
        "refs/heads/a~1",
        "refs/heads/a:b",
        "refs/heads/a\x1b[31m",
        "refs/heads/a\\b",
        "refs/pushdeploy/commits/" + "a" * 40,
        "refs/pushdeploy",
        "refs/heads/dev/below",
        "refs/heads/" + "x" * 300,
    ],
)
def test_bad_ref_names_are_refused(service: GitService, repository: Path, ref: str) -> None:
    data = HARMLESS.partition(b"0000PACK")[2]
    new = name_of("commit", commit(name_of("tree", tree(FILE))))

    answer = refused(service, repository, commands((ZERO, new, ref)) + b"PACK" + data)

    assert "\x1b" not in answer.partition("unpack")[0]
    assert "ng " in answer


def test_the_same_ref_twice_is_refused(service: GitService, repository: Path) -> None:
    new = name_of("commit", commit(name_of("tree", tree(FILE))))
    twice = commands((ZERO, new, "refs/heads/x"), (ZERO, new, "refs/heads/x"))

    answer = refused(service, repository, twice + HARMLESS[HARMLESS.index(b"PACK") :])

    assert answer.count("the same ref twice") == 2


def test_a_stale_old_id_is_reported_as_lost_before_the_deploy(
    service: GitService, repository: Path, receiver: Receiver
) -> None:
    new = name_of("commit", commit(name_of("tree", tree(FILE))))
    stale = commands(("b" * 40, new, MAIN)) + HARMLESS[HARMLESS.index(b"PACK") :]

    assert "fetch first" in refused(service, repository, stale)
    assert receiver.deployed == []


# ------------------------------------------------------------------------------- packs


def with_pack(new: str, data: bytes, ref: str = MAIN) -> bytes:
    return commands((ZERO, new, ref)) + data


GOOD = HARMLESS[HARMLESS.index(b"PACK") :]
NEW = name_of("commit", commit(name_of("tree", tree(FILE))))
COMMIT = commit(name_of("tree", tree(FILE)))
TREE = tree(FILE)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ended before the pack began"),
        (b"PACK", "ended before the pack began"),
        (b"KCAP" + GOOD[4:], "not a pack"),
        (GOOD[:7] + b"\x09" + GOOD[8:], "pack version 9"),
        (GOOD[:-20], "early EOF"),
        (GOOD[:-1] + b"\0", "SHA1 mismatch"),
        (GOOD[:40] + b"\xff" + GOOD[41:], "refused"),
        (pack(entry("blob", BLOB), count=9), "refused"),
        (pack(entry("blob", BLOB, size=9)), "refused"),
        (pack(entry(5, BLOB)), "refused"),
        (pack(entry(7, copies(5, 1), before=b"\x11" * 20)), "unresolved delta"),
        (pack(entry(OFS_DELTA, copies(5, 1), before=offset(99))), "offset"),
        (pack(entry("commit", b"tree of nothing\n")), "refused"),
    ],
)
def test_broken_packs_are_refused(
    service: GitService, repository: Path, data: bytes, why: str
) -> None:
    assert why in refused(service, repository, with_pack(NEW, data))


@pytest.mark.parametrize(
    "data",
    [
        pack(entry("blob", BLOB), entry("tree", TREE)),  # no commit
        pack(entry("tree", TREE), entry("commit", COMMIT)),  # no blob
        pack(entry("blob", BLOB), entry("commit", COMMIT)),  # no tree
        pack(),
    ],
)
def test_pushes_without_all_their_objects_are_refused(
    service: GitService, repositories: Repositories, receiver: Receiver, data: bytes
) -> None:
    status, answer = say(service, with_pack(NEW, data))

    assert status == 1
    assert "lacks objects" in answer or "did not receive expected object" in answer
    assert not repositories.exists(APP)


def test_a_commit_whose_parent_is_absent_is_refused(service: GitService, repository: Path) -> None:
    orphan = commit(name_of("tree", TREE), parents=["d" * 40])
    objects = pack(entry("blob", BLOB), entry("tree", TREE), entry("commit", orphan))

    answer = refused(service, repository, with_pack(name_of("commit", orphan), objects))

    assert "lacks objects" in answer or "refused" in answer


def test_a_shallow_line_does_not_excuse_other_missing_objects(
    service: GitService, repository: Path
) -> None:
    orphan = commit(name_of("tree", TREE), parents=["d" * 40])
    new = name_of("commit", orphan)
    objects = pack(entry("commit", orphan))

    refused(service, repository, line(f"shallow {new}") + with_pack(new, objects))


@pytest.mark.parametrize("kind", ["blob", "tree"])
def test_a_branch_that_is_no_commit_is_refused(
    service: GitService, repository: Path, kind: str
) -> None:
    objects = pack(entry("blob", BLOB), entry("tree", TREE))
    new = {"blob": BLOB_ID, "tree": name_of("tree", TREE)}[kind]

    answer = refused(service, repository, with_pack(new, objects))

    assert f"a branch is a commit, this is a {kind}" in answer


def test_a_pack_over_the_limit_is_refused(service: GitService, repository: Path) -> None:
    noise = b"".join(hashlib.sha256(bytes([a, b])).digest() for a in range(256) for b in range(256))

    answer = refused(service, repository, with_pack(NEW, pack(entry("blob", noise))))

    assert "pack exceeds maximum allowed size" in answer


def test_one_small_pack_that_grows_to_gigabytes_is_refused(
    service: GitService, repository: Path
) -> None:
    base = bytes(2**20)
    first = entry("blob", base)
    bomb = pack(first, entry(OFS_DELTA, copies(2**20, 4095), before=offset(len(first))))
    assert len(bomb) < 30_000

    assert "emory" in refused(service, repository, with_pack(NEW, bomb))


def test_many_deltas_of_a_gigabyte_are_refused(service: GitService, repository: Path) -> None:
    entries = [entry("blob", bytes(2**20))]
    for _ in range(8):
        distance = sum(len(data) for data in entries)
        entries.append(entry(OFS_DELTA, copies(2**20, 1024), before=offset(distance)))

    assert "emory" in refused(service, repository, with_pack(NEW, pack(*entries)))


def test_a_declared_size_beyond_memory_is_refused(service: GitService, repository: Path) -> None:
    data = pack(entry("tree", b"x", size=2**62))

    refused(service, repository, with_pack(NEW, data))


def test_a_long_chain_of_deltas_is_no_trouble(service: GitService, repository: Path) -> None:
    entries = [entry("blob", BLOB), entry("tree", TREE), entry("commit", COMMIT)]
    grown, last = entry("blob", b"x"), 1
    entries.append(grown)
    for _ in range(2000):
        insert = struct.pack("B", 1) + b"y"
        head = bytes([last & 0x7F | 0x80, last >> 7]) if last > 127 else bytes([last])
        size = last + 1
        tail = bytes([size & 0x7F | 0x80, size >> 7]) if size > 127 else bytes([size])
        delta = head + tail + b"\xb0" + struct.pack("<H", last) + insert
        entries.append(entry(OFS_DELTA, delta, before=offset(len(entries[-1]))))
        last = size

    status, answer = say(service, with_pack(NEW, pack(*entries)))

    assert status == 0, answer


# ------------------------------------------------------------------------------- trees


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


def test_a_full_disk_is_not_told_as_a_bad_pack_regression() -> None:
    assert isinstance(refusal("cannot store pack file: No space left on device"), BackendDown)
    assert isinstance(refusal("pack exceeds maximum allowed size"), PackRefused)
