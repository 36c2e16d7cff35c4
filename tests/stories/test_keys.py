"""Who may come in: a key says who somebody is, and one that is removed is refused at once."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Result, Server, wait_until
from tests.stories.means import run
from tests.stories.running import Running

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


@contextmanager
def connection_of(server: Server, name: str, directory: Path) -> Iterator[Sequence[str]]:
    """Let a new key in, and open a connection with it: the words of an ssh that goes over it."""
    key = new_key(directory, name)
    server.ssh(f"keys:add {name}", input=key.with_suffix(".pub").read_text(), check=True)
    assert ssh_as(server, key, "whoami").stdout == f"{name}\n"
    control = directory / "c"
    words = ["ssh", "-F", str(server.root / f"ssh_config-{name}"), "-o", f"ControlPath={control}"]
    master = subprocess.Popen(
        [*words, "-M", "-N", "deploy"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(control.exists, 30, lambda: f"{name} does not get in")
        yield words
    finally:
        master.terminate()
        master.wait(20)


def started(
    words: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None
) -> Running:
    return Running(
        subprocess.Popen(
            words,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    )


def test_a_removed_key_is_refused_on_a_connection_that_is_open(
    server: Server, repo: MakeRepository, tmp_path: Path
) -> None:
    """Commands, git in both directions, what is followed, what runs, and a push in the queue."""
    repository = repo("hello")
    assert repository.push().returncode == 0
    app = repository.app
    with connection_of(server, "carol", tmp_path) as ssh:
        git = {**server.git_environment(), "GIT_SSH_COMMAND": " ".join(ssh)}
        listing = ["git", "ls-remote", "deploy", "main"]
        assert run(listing, cwd=repository.path, environment=git).returncode == 0

        repository.write("Procfile", "web: python web.py\nrelease: sleep 6\n")
        repository.commit("Take a while")
        going_on = server.watch_git(repository.path, "push", "deploy", "main")
        going_on.wait_for("Running the release command")
        repository.commit("Wait in the queue")
        queued = started(["git", "push", "deploy", "main"], repository.path, git)
        queued.wait_for("waiting: deploy of")
        log = started([*ssh, "deploy", f"logs {app} -t"], tmp_path)
        log.wait_for("listens on port")
        one_off = started([*ssh, "deploy", f"run {app} 'echo begun; sleep 600'"], tmp_path)
        one_off.wait_for("begun")

        server.program("keys:remove", "carol")
        for refused in (["apps:list"], ["-tt", "apps:list"], [], [f"run {app} true"]):
            assert run([*ssh, "deploy", *refused], cwd=tmp_path).returncode != 0
        for words in (listing, ["git", "clone", f"deploy@deploy:{app}", str(tmp_path / "copy")]):
            assert run(words, cwd=repository.path, environment=git).returncode == 128
        log.end(20)
        for client in (queued, one_off):
            assert client.end(20) != 0, client.said
        assert going_on.end() == 0, going_on.said
    assert server.containers("pushdeploy.role=once", f"pushdeploy.app={app}") == []
    assert [row["by"] for row in server.json(f"releases {app}")] == ["ada", "ada"]


def test_what_a_removed_key_has_brought_past_its_point_of_no_return_ends_well(
    server: Server, repo: MakeRepository, tmp_path: Path
) -> None:
    repository = repo("hello")
    repository.write("Procfile", "web: python web.py\nrelease: sleep 4\n")
    repository.commit()
    with connection_of(server, "dave", tmp_path) as ssh:
        git = {**server.git_environment(), "GIT_SSH_COMMAND": " ".join(ssh)}
        push = started(["git", "push", "deploy", "main"], repository.path, git)
        push.wait_for("Running the release command")
        server.ssh("keys:remove dave", check=True)
        push.end(20)
    wait_until(lambda: repository.remote_main == repository.head, 60, lambda: server.log()[-4000:])
    assert server.json(f"releases {repository.app}")[0]["status"] == "live"
    assert server.get(repository.app).status == 200


def test_ones_own_key_is_removed_by_force_only(server: Server, tmp_path: Path) -> None:
    with connection_of(server, "erin", tmp_path) as ssh:
        refused = run([*ssh, "deploy", "keys:remove erin"], cwd=tmp_path)
        assert refused.returncode == 1
        assert "erin is the key that you are using" in refused.stderr
        removed = run([*ssh, "deploy", "keys:remove erin --force"], cwd=tmp_path)
        assert (removed.returncode, removed.stdout) == (0, "erin may no longer deploy\n")
        assert run([*ssh, "deploy", "whoami"], cwd=tmp_path).returncode != 0


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
