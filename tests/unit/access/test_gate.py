"""Everything that comes over ssh asks one gate: commands, git push and git fetch."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pushdeploy.access.audit_log import AuditLog
from pushdeploy.access.gate import Gate
from pushdeploy.access.rule import Role
from pushdeploy.commands.dispatch import Commands
from pushdeploy.domain.names import AppName
from pushdeploy.domain.need import Need
from pushdeploy.domain.pipeline import PipelineName, StageName
from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.service import GitService
from pushdeploy.settings import Address
from pushdeploy.ssh.keys import create_host_key
from pushdeploy.ssh.server import SshServer
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.receive.host import Receiver
from tests.unit.ssh.host import host_key_line, make_key

BLOG = AppName("blog")


@dataclass
class Refusing:
    """A rule that may be put in the place of ours; ``asked`` is what it was asked."""

    refuses: Callable[[Need | None, AppName | None], bool]
    asked: list[tuple[Need | None, AppName | None]] = field(default_factory=list)

    def __call__(self, role: Role, need: Need | None, app: AppName | None) -> bool:
        self.asked.append((need, app))
        return not self.refuses(need, app)


@dataclass
class Client:
    """OpenSSH and git as ``bob`` uses them, with a repository of one commit."""

    machine: Machine
    server: SshServer
    port: int
    root: Path

    def ssh(self, command: str) -> subprocess.CompletedProcess[str]:
        return self._run([*self._ssh(), "deploy@127.0.0.1", command])

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(["git", *arguments])

    def _ssh(self) -> list[str]:
        options = [f"IdentityFile={self.root / 'bob'}", f"UserKnownHostsFile={self.root / 'known'}"]
        words = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", "none", "-p", str(self.port), *words, "-o", "IdentitiesOnly=yes"]

    def _run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "GIT_SSH_COMMAND": " ".join(self._ssh()),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "HOME": str(self.root),
        }
        return subprocess.run(
            words,
            cwd=self.root / "work",
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


Serve = Callable[[Refusing], Client]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A server with commands and git behind a gate with another rule."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    machine = Machine(tmp_path / "home")
    machine.store.keys.add(make_key(tmp_path / "bob"))
    servers: list[SshServer] = []

    def start(rule: Refusing) -> Client:
        gate = Gate(machine.store.keys, rule)
        git = GitService(machine.refs, Receiver(machine.refs), PackLimits(), gate)
        host_key = tmp_path / "host_key"
        create_host_key(host_key)
        server = SshServer(
            Address("127.0.0.1", 0),
            host_key,
            machine.store.keys.find,
            Commands(replace(machine.context, gate=gate)).run,
            git.serve,
            AuditLog(machine.store.audit),
        )
        servers.append(server)
        port = server.start().port
        (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {host_key_line(host_key)}\n")
        client = Client(machine, server, port, tmp_path)
        with_a_commit(client)
        return client

    yield start
    for server in servers:
        server.stop()
    machine.store.close()


def with_a_commit(client: Client) -> None:
    client.git("init", "-q", "-b", "main")
    client.git("config", "user.email", "bob@example.com")
    client.git("config", "user.name", "Bob")
    client.git("commit", "-q", "--allow-empty", "-m", "first")
    for app in (SHOP, BLOG):
        client.git("remote", "add", str(app), f"deploy@127.0.0.1:{app}")


def test_a_rule_that_refuses_stops_push_fetch_and_command_with_a_plain_message(
    serve: Serve,
) -> None:
    client = serve(Refusing(lambda need, _: need != "anyone"))
    client.machine.store.apps.create(SHOP)
    client.machine.refs.ensure(SHOP)

    pushed, fetched = client.git("push", "shop", "main"), client.git("fetch", "shop")
    typed = client.ssh("apps:destroy shop --force")

    assert (pushed.returncode, fetched.returncode, typed.returncode) == (128, 128, 1)
    assert "bob may not push to shop: ask an admin of this server" in pushed.stderr
    assert "bob may not fetch shop: ask an admin of this server" in fetched.stderr
    assert typed.stderr == (
        " !     bob may not use apps:destroy\n !     ask an admin of this server\n"
    )
    assert client.machine.store.apps.find(SHOP) is not None
    assert client.machine.refs.is_empty(SHOP)
    assert client.ssh("whoami").stdout == "bob\n"
    assert {"apps:destroy shop --force", "git-receive-pack shop", "git-upload-pack shop"} <= {
        entry.command for entry in client.machine.store.audit.list() if entry.exit_status == 1
    }


def test_who_may_read_may_fetch_and_list_and_change_nothing(serve: Serve) -> None:
    client = serve(Refusing(lambda need, _: need not in {"anyone", "read"}))
    client.machine.store.apps.create(SHOP)
    client.machine.refs.ensure(SHOP)
    assert client.git("fetch", "shop").returncode == 0
    assert "shop" in client.ssh("apps:list").stdout
    for line in ("config:set shop A=1", "config shop", "keys:remove ada", "run shop env"):
        refused = client.ssh(line)
        assert f"bob may not use {line.split()[0]}" in refused.stderr, line
    assert client.git("push", "shop", "main").returncode != 0


def test_a_rule_is_asked_about_every_app_that_is_named(serve: Serve) -> None:
    client = serve(Refusing(lambda _, app: app == SHOP))
    for app in (SHOP, BLOG):
        client.machine.store.apps.create(app)
    assert "bob may not push to shop" in client.git("push", "shop", "main").stderr
    assert client.git("push", "blog", "main").returncode == 0
    for line in (
        "apps:info shop",
        "apps:rename blog shop",
        "config:set shop A=1",
        "disks:clone blog data shop",
        "pipelines:create p blog shop",
        "pipelines:update shop --stage staging",
        "releases:rehearse blog --slug-of shop",
    ):
        assert "bob may not use" in client.ssh(line).stderr, line
    assert client.ssh("apps:info blog").returncode == 0


def test_a_rule_is_asked_about_the_targets_of_a_promotion_that_names_none(serve: Serve) -> None:
    client = serve(Refusing(lambda _, app: app == SHOP))
    pipelines = client.machine.store.pipelines
    pipelines.create(PipelineName("web"))
    for app, stage in ((BLOG, "staging"), (SHOP, "production")):
        client.machine.store.apps.create(app)
        pipelines.add(PipelineName("web"), app, StageName(stage))
    refused = client.ssh("pipelines:promote blog")
    assert "bob may not use pipelines:promote" in refused.stderr


def test_what_is_about_no_app_is_asked_for_as_that(serve: Serve) -> None:
    rule = Refusing(lambda *_: False)
    client = serve(rule)
    client.ssh("apps:list")
    client.ssh("ps:restart --all")
    client.ssh("config:keys --global")
    needs = ("anyone", "read", "anyone", "change", "anyone", "read")
    assert rule.asked == [(need, None) for need in needs]
