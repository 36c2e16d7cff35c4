"""Names, lines and refs that no git client would send: each is refused with a clear line and leaves
no trace."""

import io
from pathlib import Path

import pytest

from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService, app_in
from tests.unit.receive.host import APP, Receiver
from tests.unit.receive.hostile.refusing import FILE, HARMLESS, MAIN, refused
from tests.unit.receive.wire import ZERO, BytesSession, commands, commit, line, name_of, say, tree


def test_the_same_without_a_fault_would_be_taken(
    service: GitService, repository: Path, receiver: Receiver
) -> None:
    status, answer = say(service, HARMLESS)

    assert status == 0, answer
    assert f"ok {MAIN}" in answer
    assert len(receiver.deployed) == 1


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
