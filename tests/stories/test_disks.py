"""A disk: the same for release, run and web, and it outlives everything that uses it."""

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Repository, Server

pytestmark = pytest.mark.docker


@pytest.fixture
def journal(server: Server, repo: MakeRepository) -> Repository:
    repository = repo("journal")
    server.ssh(f"apps:create {repository.app}", check=True)
    waiting = server.ssh(f"disks:attach {repository.app} data /data", check=True)
    assert "data will be at /data from the first release on" in waiting.stdout
    repository.push(check=True)
    return repository


def test_a_disk_is_seen_by_release_run_and_web_and_outlives_redeploys(
    server: Server, journal: Repository
) -> None:
    app = journal.app
    assert server.get(app, "/journal").body == "release v1\n"
    assert server.get(app, "/", method="POST", body="a visitor was here").status == 200
    wrote = server.ssh(f"run {app} 'echo by hand >> $DISK_PATH/journal; id -u'")
    assert wrote.returncode == 0, wrote.stderr

    journal.write("VERSION", "2\n")
    journal.commit()
    journal.push(check=True)

    kept = "release v1\na visitor was here\nby hand\nrelease v2\n"
    assert server.get(app, "/journal").body == kept
    assert server.ssh(f"run {app} cat /data/journal").stdout == kept
    on_disk = server.disk(app) / "journal"
    assert on_disk.read_text() == kept
    assert str(on_disk.stat().st_uid) == wrote.stdout.strip()
    assert on_disk.stat().st_uid >= 20000


def test_detach_keeps_the_data_and_attach_brings_it_back(
    server: Server, journal: Repository
) -> None:
    app = journal.app
    detached = server.ssh(f"disks:detach {app} data")
    assert detached.returncode == 0, detached.stderr
    assert f"the data of data stays in {server.disk(app)} on the server" in detached.stdout
    assert server.get(app, "/journal").body == ""
    [listed] = server.json(f"disks:list {app}")
    assert (listed["name"], listed["attached"]) == ("data", False)

    back = server.ssh(f"storage:mount {app} data:/data")
    assert back.returncode == 0, back.stderr
    assert server.get(app, "/journal").body == "release v1\nrelease v3\n"
    assert server.ledger(app) == [
        (1, "retired", "deploy"),
        (2, "retired", "disk"),
        (3, "live", "disk"),
    ]


def test_two_disks_lie_where_they_are_mounted(server: Server, journal: Repository) -> None:
    app = journal.app
    server.ssh(f"disks:attach {app} uploads /app/uploads", check=True)

    said = server.ssh(f"run {app} 'touch /app/uploads/x; env | grep ^DISK_PATH | sort'").stdout

    assert said == "DISK_PATH_DATA=/data\nDISK_PATH_UPLOADS=/app/uploads\n"
    assert (server.disk(app, "uploads") / "x").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("data2 /etc", "cannot be mounted at /etc"),
        ("data2 /usr/lib/data", "cannot be mounted at /usr/lib/data"),
        ("data2 /", "cannot be mounted at /"),
        ("data2 /app", "cannot be mounted at /app"),
        ("data2 data", "not a mount path"),
        ("data2 /data/../etc", "not a mount path"),
        ("/etc /data2", "is a directory of the server"),
        ("../other /data2", "is a directory of the server"),
        ("Data /data2", "not a disk name"),
        ("data /elsewhere", "disk data is attached at /data"),
        ("other /data", "disk data is attached at /data"),
        ("alone", "give a name and a mount path"),
    ],
)
def test_a_bad_disk_is_refused_and_changes_nothing(
    server: Server, attached: str, words: str, reason: str
) -> None:
    refused = server.ssh(f"disks:attach {attached} {words}")
    assert refused.returncode == 1
    assert reason in refused.stderr
    assert [row["name"] for row in server.json(f"disks:list {attached}")] in ([], ["data"])


@pytest.fixture(scope="module")
def attached(shared_server: Server) -> str:
    """An app without a release, with a disk."""
    shared_server.ssh("apps:create bad-disks", check=True)
    shared_server.ssh("disks:attach bad-disks data /data", check=True)
    return "bad-disks"


def test_an_unknown_disk_cannot_be_detached(server: Server, attached: str) -> None:
    refused = server.ssh(f"disks:detach {attached} nothing")
    assert (refused.returncode, "no disk nothing is attached" in refused.stderr) == (1, True)


def test_a_disk_whose_release_fails_is_not_attached(server: Server, journal: Repository) -> None:
    app = journal.app
    journal.write("Procfile", "release: test ! -e /second\nweb: python web.py\n")
    journal.commit()
    journal.push(check=True)

    failed = server.ssh(f"disks:attach {app} second /second")

    assert failed.returncode == 1
    assert "goes on serving" in failed.stderr
    assert [row["name"] for row in server.json(f"disks:list {app}") if row["attached"]] == ["data"]
    assert server.get(app).status == 200
    assert server.ssh(f"run {app} ls /second").returncode != 0


def test_a_destroyed_app_leaves_its_data_unless_told_otherwise(
    server: Server, journal: Repository
) -> None:
    app, data = journal.app, server.disk(journal.app)
    destroyed = server.ssh(f"apps:destroy {app} --confirm {app}")
    assert destroyed.returncode == 0, destroyed.stderr
    assert f"the data of disk data stays in {data} on the server" in destroyed.stdout
    assert (data / "journal").exists()
    assert server.get(app).status == 404

    server.ssh(f"apps:create {app}", check=True)
    server.ssh(f"disks:attach {app} data /data", check=True)
    assert journal.push().returncode == 0
    assert server.get(app, "/journal").body == "release v1\nrelease v1\n"
    server.ssh(f"apps:destroy {app} --force --delete-disks", check=True)
    assert not data.exists()


def test_a_disk_with_a_size_is_full_at_it_and_a_failed_release_leaves_its_data(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("tally")
    app = repository.app
    server.ssh(f"apps:create {app}", check=True)
    server.ssh(f"disks:attach {app} data /data --size 24m", check=True)
    repository.push(check=True)
    server.get(app, method="POST", body="before")

    full = server.ssh(f"run {app} 'dd if=/dev/zero of=/data/big bs=1M count=64; rm /data/big'")
    repository.write("MIGRATION", "fill\n")
    repository.commit()
    pushed = repository.push()

    assert "No space left on device" in full.stderr
    [disk] = server.json(f"disks:list {app}")
    assert 0 < int(str(disk["limit_bytes"])) <= 24 * 1024 * 1024
    assert (pushed.returncode, "the data is as it was before" in pushed.stderr) == (1, True)
    assert server.get(app, "/notes").body.splitlines()[0] == "before"
