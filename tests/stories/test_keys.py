"""Who may come in: a key says who somebody is, and one that is removed is refused at once."""

import subprocess
from pathlib import Path

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Result, Server
from tests.stories.means import run

pytestmark = pytest.mark.docker


def new_key(directory: Path, name: str) -> Path:
    path = directory / name
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(words, check=True)
    return path


def ssh_as(server: Server, key: Path, command: str, *, user: str = "deploy") -> Result:
    config = server.root / "ssh_config"
    words = ["ssh", "-F", str(config), "-o", f"IdentityFile={key}", "-o", "ControlPath=none"]
    # The first IdentityFile of the command line does not hide that of the file.
    alone = server.root / f"ssh_config-{key.name}"
    lines = [line for line in config.read_text().splitlines() if "IdentityFile" not in line]
    alone.write_text("\n".join([*lines, f"  IdentityFile {key}", ""]))
    words = ["ssh", "-F", str(alone), "-o", "ControlPath=none", "-l", user, "deploy", command]
    return run(words, cwd=server.root)


def test_a_key_that_is_added_may_push_and_a_removed_one_may_not(
    server: Server, repo: MakeRepository, tmp_path: Path
) -> None:
    key = new_key(tmp_path, "bob")
    stranger = ssh_as(server, key, "whoami")
    assert stranger.returncode == 255
    assert "Permission denied (publickey)" in stranger.stderr

    added = server.ssh("keys:add bob", input=key.with_suffix(".pub").read_text())
    assert added.returncode == 0, added.stderr
    assert added.stdout.startswith("bob may deploy with SHA256:")
    for user in ("deploy", "git", "dokku", "whatever"):
        assert ssh_as(server, key, "whoami", user=user).stdout == "bob\n"

    repository = repo("hello")
    environment = {
        **server.git_environment(),
        "GIT_SSH_COMMAND": f"ssh -F {server.root / 'ssh_config-bob'} -o ControlPath=none",
    }
    words = ["git", "push", "deploy", "main"]
    pushed = run(words, cwd=repository.path, environment=environment)
    assert pushed.returncode == 0, pushed.stderr
    assert server.json(f"releases {repository.app}")[0]["by"] == "bob"

    removed = server.ssh("keys:remove bob")
    assert (removed.returncode, removed.stdout) == (0, "bob may no longer deploy\n")
    repository.write("VERSION", "2\n")
    repository.commit()
    refused = run(words, cwd=repository.path, environment=environment)
    assert refused.returncode == 128
    assert "Permission denied" in refused.stderr
    assert server.get(repository.app).body == "hello from version 1\n"


def test_a_removed_key_is_refused_on_a_connection_that_is_open(
    server: Server, tmp_path: Path
) -> None:
    key = new_key(tmp_path, "carol")
    server.ssh("keys:add carol", input=key.with_suffix(".pub").read_text(), check=True)
    assert ssh_as(server, key, "whoami").stdout == "carol\n"
    control = tmp_path / "c"
    config = server.root / "ssh_config-carol"
    master = subprocess.Popen(
        ["ssh", "-F", str(config), "-o", f"ControlPath={control}", "-M", "-N", "deploy"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        words = ["ssh", "-F", str(config), "-o", f"ControlPath={control}", "deploy", "apps:list"]
        while not control.exists():
            assert master.poll() is None
        assert run(words, cwd=tmp_path).returncode == 0
        server.ssh("keys:remove carol", check=True)
        assert run(words, cwd=tmp_path).returncode != 0
    finally:
        master.terminate()
        master.wait(20)


def test_the_last_key_and_nonsense_are_refused(server: Server) -> None:
    assert [row["name"] for row in server.json("keys:list")] == ["ada"]
    last = server.ssh("keys:remove ada")
    assert (last.returncode, "ada is the last key" in last.stderr) == (1, True)
    nonsense = server.ssh("keys:add eve", input="ssh-ed25519 nonsense eve@example.com\n")
    assert nonsense.returncode == 1
    nothing = server.ssh("keys:add eve", input="")
    assert nothing.returncode == 1
    assert [row["name"] for row in server.json("keys:list")] == ["ada"]


def test_a_login_without_a_command_shows_what_can_be_typed(server: Server) -> None:
    shown = server.ssh("")
    assert shown.returncode == 0
    assert "git push deploy main" in shown.stdout
    terminal = server.watch_terminal("", rows=24, columns=100)
    assert terminal.end() == 0
    assert "ssh deploy help" in terminal.said
    helped = server.ssh("help config:set")
    assert "config:set shop LOG_LEVEL=info" in helped.stdout


def test_forwarding_and_sftp_are_refused(server: Server) -> None:
    config = str(server.root / "ssh_config")
    own = ["-F", config, "-o", "ControlPath=none"]
    forward = ["-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1", "deploy", "version"]
    assert run(["ssh", *own, *forward], cwd=server.root).returncode != 0
    through = run(["ssh", *own, "-W", "127.0.0.1:22", "deploy"], cwd=server.root)
    assert through.returncode != 0
    subsystem = run(["ssh", *own, "-s", "deploy", "sftp"], cwd=server.root)
    assert subsystem.returncode != 0
