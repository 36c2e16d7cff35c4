"""Two servers on one Docker engine, with apps of the same name, do not touch each other."""

from pathlib import Path

import pytest

from tests.stories.harness import APPS, Repository, Server

pytestmark = pytest.mark.docker


def test_two_servers_on_one_engine_do_not_touch_each_other(
    server: Server, mortal: Server, tmp_path: Path
) -> None:
    other = mortal
    ours = Repository.create(server, APPS / "hello", tmp_path / "ours", "twin")
    theirs = Repository.create(other, APPS / "hello", tmp_path / "theirs", "twin")
    theirs.write("VERSION", "theirs\n")
    theirs.commit()
    ours.push(check=True)
    theirs.push(check=True)
    mine = server.containers("pushdeploy.app=twin")
    assert server.instance != other.instance
    assert set(mine).isdisjoint(other.containers())

    other.kill()
    other.start()
    assert server.get("twin").body == "hello from version 1\n"
    assert other.get("twin").body == "hello from version theirs\n"
    server.ssh("ps:restart twin", check=True)
    assert len(other.containers("pushdeploy.app=twin")) == 1
    other.ssh("apps:destroy twin --force", check=True)
    assert other.get("twin").status == 404
    assert server.get("twin").body == "hello from version 1\n"

    other.kill()
    assert server.get("twin").body == "hello from version 1\n"
    assert len(server.containers("pushdeploy.app=twin")) == 1
    ours.write("VERSION", "2\n")
    ours.commit()
    ours.push(check=True)
    assert server.get("twin").body == "hello from version 2\n"
    server.ssh("apps:destroy twin --force", check=True)


def test_a_home_is_served_by_one_server_only(server: Server) -> None:
    with pytest.raises(AssertionError, match=r"serves .* already"):
        server.program("serve")
