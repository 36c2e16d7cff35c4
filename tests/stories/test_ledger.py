"""The ledger at work: back and forward again, staged config, a person's lock, and retention."""

import json

import pytest

from tests.stories.conftest import MakeRepository, MakeServer
from tests.stories.harness import Repository, Server, wait_until

pytestmark = pytest.mark.docker


def deploy(repository: Repository, *versions: int) -> None:
    for version in versions:
        repository.write("VERSION", f"{version}\n")
        repository.commit(f"Version {version}")
        repository.push(check=True)


def info(server: Server, app: str, version: str) -> dict[str, object]:
    said = server.ssh(f"releases:info {app} {version} --format json", check=True).stdout
    found: dict[str, object] = json.loads(said)
    return found


def test_rollback_and_forward_again_never_touches_the_disk(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("journal")
    app = repository.app
    server.ssh(f"apps:create {app}", check=True)
    server.ssh(f"disks:attach {app} data /data", check=True)
    deploy(repository, 1, 2)
    server.ssh(f"config:set {app} COLOUR=red", check=True)

    back = server.ssh(f"releases:rollback {app} v1")

    assert back.returncode == 0, back.stderr
    assert "Rollback to v1" in back.stdout
    assert "disks and databases were not touched" in back.stdout
    assert f"releases:rollback {app} v3 undoes it" in back.stdout
    assert server.get(app).body == "journal of version 1\n"
    assert server.ssh(f"config:keys {app}").stdout == ""
    assert repository.remote_main == repository.head

    forward = server.ssh(f"rollback {app} --no-release-phase")

    assert forward.returncode == 0, forward.stderr
    assert server.get(app).body == "journal of version 2\n"
    assert server.ledger(app)[3:] == [(4, "retired", "rollback"), (5, "live", "rollback")]
    journal = server.get(app, "/journal").body.split("\n")
    assert [line for line in journal if line] == [f"release v{n}" for n in (1, 2, 3, 4)]
    assert server.ssh(f"rollback {app} v5").returncode == 1


def test_a_rollback_whose_release_command_fails_changes_nothing_and_can_be_retried(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("journal")
    app = repository.app
    server.ssh(f"apps:create {app}", check=True)
    server.ssh(f"disks:attach {app} data /data", check=True)
    hold = "import os, pathlib, sys\nif pathlib.Path('/data/broken').exists():\n    sys.exit(7)\n"
    repository.write("release.py", hold)
    deploy(repository, 1, 2)
    (server.disk(app) / "broken").touch()

    failed = server.ssh(f"releases:rollback {app}")

    assert failed.returncode == 1
    assert "v3 failed; v2" in failed.stderr
    assert server.get(app).body == "journal of version 2\n"

    (server.disk(app) / "broken").unlink()
    retried = server.ssh(f"releases:retry {app}")

    assert retried.returncode == 0, retried.stderr
    assert "Retry of v3: Rollback to v1" in retried.stdout
    assert server.get(app).body == "journal of version 1\n"


def test_info_tells_the_steps_of_the_build_and_of_the_release(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.write("README", f"No other story has pushed {repository.app}.\n")
    deploy(repository, 1)
    found = info(server, repository.app, "v1")
    steps = found["steps"]
    assert isinstance(steps, list)
    assert [step["name"] for step in steps] == [
        "Writing the slug",
        "Building slug",
        "Starting web.1",
        "Switching traffic",
    ]
    assert found["commit"] == repository.head
    assert (found["by"], found["reason"], found["disks"]) == ("ada", "deploy", {})


def test_config_that_is_staged_waits_for_the_next_release(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    app = repository.app
    deploy(repository, 1)

    staged = server.ssh(f"config:set {app} VERSION=staged --no-restart", check=True).stdout

    assert f"staged for the next release of {app}: VERSION" in staged
    server.ssh(f"ps:restart {app}", check=True)
    assert server.get(app).body == "hello from version 1\n"
    assert "staged, not live yet: VERSION (set)" in server.ssh(f"config:show {app}").stdout

    server.ssh(f"config:set {app} COLOUR=red", check=True)

    assert server.get(app).body == "hello from version staged\n"
    assert info(server, app, "v2")["config_added"] == ["COLOUR", "VERSION"]


def test_a_failed_config_change_leaves_what_was_staged_before(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("journal")
    app = repository.app
    deploy(repository, 1)
    server.ssh(f"config:set {app} COLOUR=red --no-restart", check=True)

    failed = server.ssh(f"config:set {app} FAIL=yes")

    assert failed.returncode == 1
    assert "release of v2 fails: yes" in failed.stdout + failed.stderr
    assert server.ssh(f"config:export {app} --format env").stdout == 'COLOUR="red"\n'
    assert info(server, app, "v1")["current"] is True
    server.ssh(f"config:set {app} SIZE=big", check=True)
    assert info(server, app, "v3")["config_keys"] == ["COLOUR", "SIZE"]


def test_a_locked_app_refuses_a_push_before_anything_is_built(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    app = repository.app
    deploy(repository, 1)
    server.ssh(f"apps:lock {app} 'no deploys before the fair'", check=True)
    repository.write("VERSION", "2\n")
    repository.commit()

    refused = repository.push()

    assert refused.returncode == 1
    assert "! [remote rejected] main -> main" in refused.stderr
    assert f"({app} was locked by ada at 20" in refused.stderr
    assert "no deploys before the fair)" in refused.stderr
    assert "Building" not in refused.stderr
    assert server.ledger(app) == [(1, "live", "deploy")]
    assert server.ssh(f"ps:rebuild {app}").returncode == 75
    (row,) = [row for row in server.json("apps:list") if row["name"] == app]
    assert (row["locked_by"], row["lock_message"]) == ("ada", "no deploys before the fair")
    assert server.ssh(f"config:set {app} VERSION=3").returncode == 0

    assert server.ssh(f"apps:unlock {app}").returncode == 0
    assert server.ssh(f"apps:unlock {app}").returncode == 0
    repository.push(check=True)
    assert server.ledger(app)[-1] == (3, "live", "deploy")


def test_old_slugs_go_and_their_releases_stay_as_expired(
    make_server: MakeServer, repo: MakeRepository
) -> None:
    server = make_server(keep_releases="2")
    repository = repo("hello", on=server)
    app = repository.app
    deploy(repository, 1, 2)
    slugs = {row["version"]: str(row["slug"]) for row in server.json(f"releases {app}")}
    other = repo("hello", on=server)
    deploy(other, 1)
    assert server.json(f"releases {other.app}")[0]["slug"] not in slugs.values()

    deploy(repository, 3, 4)
    removed = f"app={app} removed {slugs[2][:19]}"
    wait_until(lambda: removed in server.log(), 60, lambda: server.log()[-4000:])

    rows = server.json(f"releases {app}")
    assert [row["version"] for row in rows if row["expired"]] == [2, 1]
    assert "expired" in server.ssh(f"releases {app}").stdout
    assert "v2 has expired" in server.ssh(f"rollback {app} v2").stderr
    assert server.get(other.app).body == "hello from version 1\n"
    assert server.ssh(f"rollback {app} v3").returncode == 0
    assert server.get(app).body == "hello from version 3\n"

    server.ssh(f"apps:destroy {other.app} --force", check=True)
    # What the rollback made superfluous goes in the background, a moment after it.
    wait_until(
        lambda: all(row["stays"] for row in server.json("releases:gc --plan")),
        60,
        lambda: f"{server.json('releases:gc --plan')}\n{server.log()[-2000:]}",
    )
    server.ssh(f"apps:destroy {app} --force", check=True)
    # Its slugs go in the background; what that has not come to yet goes now.
    assert {row["why"] for row in server.json("releases:gc")} <= {"no release has it"}
    assert server.json("releases:gc") == []
