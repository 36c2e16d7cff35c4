"""The way back: a server is removed with all that it made, and nothing of anybody else's."""

import subprocess
from pathlib import Path

import pytest

from pushdeploy.engine.rules import HostRules
from tests.stories.conftest import MakeRepository
from tests.stories.harness import Result, Server
from tests.stories.leftovers import containers_of, images_of, stack_image

pytestmark = pytest.mark.docker


def uninstall(going: Server, *words: str) -> Result:
    return going.program("uninstall", *words)


def networks_of(instance: str) -> str:
    command = ["docker", "network", "ls", "-q", f"--filter=label=pushdeploy.instance={instance}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def rules_of(instance: str) -> list[str]:
    chain = HostRules(instance, [], []).chain("host")
    shown = subprocess.run(["iptables", "-S"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if chain in line]


def mounts_below(home: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line for line in lines if f"{home}/" in line]


def test_a_server_is_removed_with_all_that_it_made_and_its_data_stays_unless_purged(
    own_server: Server, server: Server, repo: MakeRepository
) -> None:
    going, staying = own_server, server
    going.ssh("apps:create hello", check=True)
    going.ssh("disks:attach hello data /data --size 64m", check=True)
    assert repo("hello", "hello", on=going).push().returncode == 0
    instance = going.instance
    assert containers_of(instance)
    assert images_of(instance)
    assert mounts_below(going.home)
    assert rules_of(instance)

    said = uninstall(going)

    assert said.returncode == 0, said.stdout
    assert containers_of(instance) == []
    assert images_of(instance) == []
    assert networks_of(instance) == ""
    assert rules_of(instance) == []
    assert mounts_below(going.home) == []
    assert (going.home / "pushdeploy.sqlite3").exists()
    assert "The home stays" in said.stdout

    assert networks_of(staying.instance) != ""
    assert rules_of(staying.instance) != []
    assert staying.ssh("version").returncode == 0
    assert stack_image()

    again = uninstall(going, "--purge")
    assert again.returncode == 0, again.stdout
    assert not going.home.exists()
    once_more = uninstall(going, "--purge")
    assert (once_more.returncode, "nothing to remove" in once_more.stdout) == (0, True)
