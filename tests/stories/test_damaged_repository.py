"""A repository after a loss of power: git goes on, and whoever comes is told what was wrong."""

import subprocess
import sys

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server

pytestmark = pytest.mark.docker


def doctor(server: Server) -> str:
    words = [sys.executable, "-m", "pushdeploy", "doctor", "--home", str(server.home)]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout


def test_a_branch_that_a_loss_of_power_has_emptied_is_where_it_was(
    mortal: Server, repo: MakeRepository
) -> None:
    hello = repo("hello", on=mortal)
    hello.push(check=True)
    directory = mortal.home / "repositories" / f"{hello.app}.git"
    mortal.kill()
    (directory / "refs" / "heads" / "main").write_bytes(b"")
    (directory / "packed-refs").write_bytes(bytes(100))
    (directory / "HEAD.lock").touch()
    assert f"refs/heads/main of {hello.app}" in doctor(mortal)

    mortal.start()

    assert f"app={hello.app} repository: refs/heads/main is at {hello.head[:7]}" in mortal.log()
    assert hello.remote_main == hello.head
    assert f"of {hello.app}" not in doctor(mortal)
    hello.write("VERSION", "2\n")
    hello.commit()
    pushed = hello.push()
    assert pushed.returncode == 0, pushed.stderr
    assert "the repository was mended: refs/heads/main is at" in pushed.stderr
    assert mortal.get(hello.app).body == "hello from version 2\n"


def test_it_is_mended_while_the_server_runs_too(mortal: Server, repo: MakeRepository) -> None:
    hello = repo("hello", on=mortal)
    hello.push(check=True)
    directory = mortal.home / "repositories" / f"{hello.app}.git"
    for name in ("refs/heads/main", "HEAD", "config", "packed-refs"):
        (directory / name).write_bytes(b"\0\0\0 garbage")
        assert hello.remote_main == hello.head, name
    cloned = mortal.git(hello.path, "clone", "-q", f"deploy@deploy:{hello.app}", "again")
    assert cloned.returncode == 0, cloned.stderr


def test_one_that_cannot_be_mended_keeps_the_server_from_serving_no_other(
    mortal: Server, repo: MakeRepository
) -> None:
    hello, broken = repo("hello", on=mortal), repo("hello", on=mortal)
    for each in (hello, broken):
        each.push(check=True)
    mortal.kill()
    objects = mortal.home / "repositories" / f"{broken.app}.git" / "objects"
    objects.rename(objects.with_name("away"))
    objects.touch()

    mortal.start()

    assert f"app={broken.app} its repository cannot be mended" in mortal.log()
    assert f"objects/pack of {broken.app}" in doctor(mortal)
    assert hello.remote_main == hello.head
    assert mortal.get(broken.app).body == "hello from version 1\n"
    broken.write("VERSION", "2\n")
    broken.commit()
    assert f"the repository of {broken.app} is damaged" in broken.push().stderr
