"""Several pushes at once: one app at a time, the newest wins, other apps are not kept waiting."""

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Repository, Server

pytestmark = pytest.mark.docker


@pytest.fixture
def journal(server: Server, repo: MakeRepository) -> Repository:
    """An app with a disk, whose release command waits while ``hold-release`` lies there.

    It goes on serving meanwhile, for as long as the pushes of a story take.
    """
    repository = repo("journal")
    server.ssh(f"apps:create {repository.app}", check=True)
    server.ssh(f"disks:attach {repository.app} data /data", check=True)
    server.ssh(f"disks:set {repository.app} cutover=overlap", check=True)
    repository.push(check=True)
    return repository


def test_of_three_pushes_at_once_the_first_and_the_last_are_deployed(
    server: Server, journal: Repository, repo: MakeRepository
) -> None:
    app = journal.app
    hold = server.disk(app) / "hold-release"
    hold.touch()
    versions = {}
    for number in (2, 3, 4):
        journal.write("VERSION", f"{number}\n")
        versions[number] = journal.commit(f"Version {number}")
    try:
        first = journal.start_push(f"{versions[2]}:main")
        first.wait_for("release: waiting at the gate")

        second = journal.start_push(f"{versions[3]}:main")
        second.wait_for(f"waiting: deploy of {versions[2][:7]} by ada since")
        assert f"deploy of {versions[2][:7]} by ada" in server.ssh(f"apps:info {app}").stdout

        third = journal.start_push(f"{versions[4]}:main")
        third.wait_for(f"waiting: deploy of {versions[2][:7]} by ada since")
        assert second.end() == 1
        assert f"overtaken: deploy of {versions[4][:7]} by ada" in second.said
        assert "! [remote rejected]" in second.said

        # Another app is deployed meanwhile.
        other = repo("hello")
        other.push(check=True)
        assert server.get(other.app).status == 200
        assert not first.ended
        assert server.get(app).body == "journal of version 1\n"
    finally:
        hold.unlink()

    assert first.end() == 0, first.said
    assert third.end() == 0, third.said
    assert journal.remote_main == versions[4]
    assert server.get(app).body == "journal of version 4\n"
    commits = [row["commit"] for row in server.json(f"releases {app}")]
    assert commits == [versions[4], versions[2], journal.first]


def test_a_push_that_would_undo_the_one_it_waited_for_is_rejected(
    server: Server, journal: Repository
) -> None:
    app = journal.app
    hold = server.disk(app) / "hold-release"
    hold.touch()
    journal.write("VERSION", "2\n")
    mine = journal.commit("Mine")
    journal.git("reset", "-q", "--hard", journal.first)
    journal.write("VERSION", "3\n")
    yours = journal.commit("Yours")
    try:
        first = journal.start_push(f"{mine}:main")
        first.wait_for("release: waiting at the gate")
        second = journal.start_push(f"{yours}:main")
        second.wait_for("waiting: deploy of")
    finally:
        hold.unlink()

    assert first.end() == 0, first.said
    assert second.end() == 1
    assert f"main has moved to {mine[:7]} since this push began" in second.said
    assert "git fetch" in second.said
    assert journal.remote_main == mine
    assert server.get(app).body == "journal of version 2\n"


def test_a_change_of_config_waits_for_a_push_and_says_so(
    server: Server, journal: Repository
) -> None:
    app = journal.app
    hold = server.disk(app) / "hold-release"
    hold.touch()
    journal.write("VERSION", "2\n")
    commit = journal.commit()
    try:
        push = journal.start_push()
        push.wait_for("release: waiting at the gate")
        change = server.watch_ssh(f"config:set {app} COLOUR=red")
        change.wait_for(f"waiting: deploy of {commit[:7]} by ada since")
    finally:
        hold.unlink()

    assert push.end() == 0, push.said
    assert change.end() == 0, change.said
    assert server.ledger(app) == [
        (1, "retired", "deploy"),
        (2, "retired", "deploy"),
        (3, "live", "config"),
    ]
    assert server.get(app).body == "journal of version 2\n"
    assert server.ssh(f"config:get {app} COLOUR").stdout == "red\n"
