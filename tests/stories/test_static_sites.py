"""Static sites from push to switch: a folder of files, and no process at all."""

from pathlib import Path

import pytest

from tests.stories.conftest import MakeServer
from tests.stories.harness import APPS, Repository, Server
from tests.stories.leftovers import stop_nginx
from tests.stories.second_docker import Dockerd, dockerfile
from tests.stories.traffic import loaded, visiting

pytestmark = pytest.mark.docker

MAKE = """
import pathlib

site = pathlib.Path("site")
site.mkdir()
site.joinpath("index.html").write_text("made\\n")
"""


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


def test_nothing_is_lost_while_sites_are_switched(host: Server, tmp_path: Path) -> None:
    """Neither a page, nor what an old page refers to."""
    site = site_of(host, tmp_path, "busy", **{"style.0a1b2c3d.css": "first"})
    site.push(check=True)
    with (
        loaded(host, "busy", slow=False) as load,
        visiting(host, "busy", "/style.0a1b2c3d.css") as old,
    ):
        for number in range(3):
            site.git("rm", "-q", "--ignore-unmatch", "style.*")
            site.write(f"style.{number}f8e7d6c.css", f"{number}")
            site.write("index.html", f"{number}")
            site.commit()
            site.push(check=True)
    assert load.lost == []
    assert old.lost == []
    assert old.bodies == ["first"]
    assert host.get("busy").body == "2"


def test_a_site_is_what_the_build_of_another_language_leaves(host: Server, tmp_path: Path) -> None:
    """Nothing else of the app is in the slug."""
    site = site_of(host, tmp_path, "made", **{"requirements.txt": "", "make.py": MAKE})
    site.write("static.json", '{"root": "site", "build": "python make.py"}')
    site.commit()
    said = site.push(check=True).stderr
    assert "python app: found requirements.txt" in said
    assert "publishes site/ (static.json, made by python make.py)" in said
    assert host.get("made").body == "made\n"
    assert host.ssh("run made ls", check=True).stdout.split() == ["site"]
    site.write("make.py", "print('nothing to do')")
    site.commit()
    failed = site.push()
    assert failed.returncode != 0
    assert "python make.py has ended well, but there is no site/" in failed.stderr
    assert host.get("made").body == "made\n"


def test_many_files_are_published_and_odd_ones_are_told(host: Server, tmp_path: Path) -> None:
    site = site_of(host, tmp_path, "many")
    for number in range(20_000):
        directory = site.path / "public" / f"{number % 100}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{number}.txt").write_text(f"{number}")
    (site.path / "public" / "index.html").write_text("many")
    (site.path / "public" / "passwd").symlink_to("/etc/passwd")
    (site.path / "public" / "up").symlink_to("../index.html")
    (site.path / "public" / "latest").symlink_to("99")
    site.write("static.json", '{"root": "public"}')
    site.commit()
    said = site.push(check=True).stderr
    assert "20,001 files" in said
    assert "not served: 'passwd' is a link to '/etc/passwd', outside of the folder" in said
    assert host.get("many").body == "many"
    assert host.get("many", "/99/19999.txt").body == host.get("many", "/latest/19999.txt").body
    for path in ("/passwd", "/up", "/..%2findex.html", "/../static.json", "/%2e%2e/static.json"):
        assert host.get("many", path).status in {400, 404}, path


def test_folders_of_an_app_are_served_before_its_web_is_asked(host: Server, tmp_path: Path) -> None:
    app = Repository.create(host, APPS / "echo", tmp_path / "echo", "folders")
    app.write("assets/app.css", "b {}")
    app.commit()
    app.push(check=True)
    assert host.get("folders", "/assets/app.css").body != "b {}"
    host.ssh("apps:set folders static=/assets/=assets", check=True)
    assert host.get("folders", "/assets/app.css").body == "b {}"
    assert host.get("folders", "/assets/gone.css").status == 404
    assert host.get("folders", "/").status == 200
    app.git("rm", "-q", "assets/app.css")
    app.commit()
    refused = app.push()
    assert refused.returncode != 0
    assert "there is no assets/ in the slug (apps:set static names it)" in refused.stderr
    assert host.get("folders", "/assets/app.css").body == "b {}"


@pytest.mark.slow
def test_files_are_served_while_docker_is_dead_and_after_a_boot_without_it(
    dockerd: Dockerd, make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server(docker_host=dockerd.host)
    app = Repository.create(server, APPS / "hello", tmp_path / "hello", "alone")
    app.write("Dockerfile", dockerfile())
    app.write("assets/app.css", "b {}")
    app.commit()
    server.ssh("apps:create alone", check=True)
    server.ssh("apps:set alone static=/assets/=assets", check=True)
    app.push(check=True)
    dockerd.kill()
    assert server.get("alone", "/assets/app.css").body == "b {}"
    server.kill()
    stop_nginx(server.home)
    with pytest.raises(AssertionError, match="the server ended"):
        server.start()
    assert server.get("alone", "/assets/app.css").body == "b {}"
    dockerd.start()
    server.start()
    assert server.get("alone", "/assets/app.css").body == "b {}"
    server.close()
