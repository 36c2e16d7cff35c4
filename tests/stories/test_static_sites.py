"""Static sites from push to switch: a folder of files, and no process at all."""

from pathlib import Path

import pytest

from tests.stories.conftest import MakeServer
from tests.stories.harness import Repository, Server

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def host(make_server: MakeServer) -> Server:
    return make_server()


def site_of(host: Server, path: Path, name: str, **files: str) -> Repository:
    """A repository with a page that says ``one``, not pushed yet."""
    source = path / "source"
    source.mkdir()
    (source / "index.html").write_text("one")
    for file, text in files.items():
        (source / file).write_text(text)
    return Repository.create(host, source, path / name, name)


def test_a_folder_is_pushed_switched_promoted_and_nothing_of_it_runs(
    host: Server, tmp_path: Path
) -> None:
    site = site_of(host, tmp_path, "pages-staging")
    site.write("app.0a1b2c3d.css", "old")
    site.commit()
    said = site.push(check=True).stderr
    assert "publishes the top directory (it has index.html)" in said
    assert "pages-staging v1 is live" in said
    assert host.get("pages-staging").body == "one"
    first = host.get("pages-staging").headers["etag"]

    site.git("mv", "app.0a1b2c3d.css", "app.9f8e7d6c.css")
    site.write("index.html", "two")
    site.commit()
    site.push(check=True)
    assert host.get("pages-staging").body == "two"
    assert host.get("pages-staging").headers["etag"] != first
    assert host.get("pages-staging", "/app.0a1b2c3d.css").body == "old"
    assert host.get("pages-staging", "/gone.css").status == 404

    host.ssh("apps:create pages", check=True)
    host.ssh("pipelines:create pages pages-staging pages", check=True)
    promoted = host.ssh("pipelines:promote pages-staging", check=True)
    assert "Publishing" not in promoted.stdout + promoted.stderr
    assert host.get("pages").body == "two"
    assert host.get("pages").headers["etag"] == host.get("pages-staging").headers["etag"]
    assert host.get("pages", "/app.0a1b2c3d.css").status == 404

    host.ssh("rollback pages-staging", check=True)
    assert host.get("pages-staging").body == "one"
    assert host.get("pages-staging").headers["etag"] == first
    assert host.containers("pushdeploy.app") == []
    assert "index.html" in host.ssh("run pages-staging ls", check=True).stdout


def test_a_site_that_is_stopped_started_renamed_and_destroyed(host: Server, tmp_path: Path) -> None:
    site_of(host, tmp_path, "moving").push(check=True)
    host.ssh("ps:stop moving", check=True)
    assert host.get("moving").status == 503
    host.ssh("ps:start moving", check=True)
    host.ssh("apps:rename moving moved", check=True)
    assert host.get("moved").body == "one"
    host.ssh("config:set moved KEY=value", check=True)
    assert host.get("moved").body == "one"
    host.ssh("apps:destroy moved --force", check=True)
    assert host.get("moved").status == 404
