"""Who did what: git, secrets, logins, refusals and the server's own shell are written down."""

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server, wait_until

pytestmark = pytest.mark.docker


def test_everything_that_matters_leaves_a_row(mortal: Server, repo: MakeRepository) -> None:
    server = mortal
    repository = repo("hello", on=server)
    app = repository.app
    assert repository.push().returncode == 0
    repository.git("fetch", "-q", "deploy")
    server.ssh(f"config:set {app} TOKEN=hunter2", check=True)
    server.ssh(f"config:get {app} TOKEN", check=True)
    assert server.ssh(f"run {app} 'true -phunter2'").returncode == 0
    assert server.ssh(f"apps:destroi {app}").returncode == 1
    server.program("keys:add", "bob", input=_other_key(server))
    server.program("keys:remove", "bob")

    of_app = [row for row in server.json(f"audit --app {app}")[::-1] if row["exit_status"] == 0]
    assert [(row["command"], row["exit_status"]) for row in of_app] == [
        (f"git-receive-pack {app}", 0),
        (f"git-upload-pack {app}", 0),
        (f"config:set {app} 'TOKEN=…'", 0),
        (f"config:get {app} TOKEN", 0),
        (f"run {app} 'true -p…'", 0),
    ]
    assert all(isinstance(row["seconds"], float) for row in of_app)
    rows = server.json("audit --limit 1000")
    assert "hunter2" not in str(rows)
    commands = {row["command"]: row for row in rows}
    assert commands["apps:destroi …"]["app"] == app
    assert commands["login from 127.0.0.1"]["by"] == "ada"
    shell = server.json("audit --by (root) --limit 1000")
    assert [row["command"] for row in shell][:2] == [
        "pushdeploy keys:remove bob",
        "pushdeploy keys:add bob",
    ]
    assert {"pushdeploy init", "pushdeploy serve"} <= {row["command"] for row in shell}


def test_what_a_kill_cuts_off_did_not_end(mortal: Server, repo: MakeRepository) -> None:
    server = mortal
    repository = repo("hello", on=server)
    app = repository.app
    assert repository.push().returncode == 0
    client = server.watch_ssh(f"run {app} 'echo begun; sleep 600'")
    client.wait_for("begun")
    assert server.json(f"audit --app {app} --limit 1")[0]["state"] == "going on"
    server.kill()
    client.end()
    server.start()

    wait_until(lambda: server.running, 10, server.log)
    row = server.json(f"audit --app {app} --limit 1")[0]
    assert (row["command"], row["state"]) == (f"run {app} 'echo begun; sleep 600'", "did not end")
    assert row["exit_status"] is None
    rows = server.json("audit --by (root) --limit 1000")
    served = [row["state"] for row in rows if row["command"] == "pushdeploy serve"]
    assert served[:2] == ["going on", "did not end"]


def _other_key(server: Server) -> str:
    """A key of the form that is wanted, which nobody has."""
    shown = server.program("keys:list", "--format", "json").stdout
    assert "ada" in shown
    return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJGP2oYdlTJqp1BBOEgYTLlfNV3DvOVnqWwEGVTHu2J4 bob\n"
