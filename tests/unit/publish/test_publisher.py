"""Which folders of a release are served, whether they are there, and what has changed in them."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.published import PublishedFolder
from pushdeploy.output import Output, Quiet
from pushdeploy.publish.publisher import Publisher
from pushdeploy.publish.taking_out import TakenOut, take_out
from tests.unit.commands.machine import SHOP, Machine, refused, slug_of
from tests.unit.publish.test_taking_out import archive, file

FOLDER = PublishedFolder("/app/public", "static.json")
LIVE = AppName("shop-live")


def image(number: int) -> ImageDigest:
    return ImageDigest("sha256:" + f"{number}" * 64)


def publisher_of(machine: Machine) -> Publisher:
    return machine.context.back_ends.publisher


def deploy(
    machine: Machine,
    number: int,
    pages: Mapping[str, str],
    app: AppName = SHOP,
    folder: str = FOLDER.path,
    published: PublishedFolder | None = FOLDER,
) -> None:
    """A release of an image of which ``pages`` were taken out."""
    members = [file(f"public/{name}", text.encode()) for name, text in pages.items()]

    def take(target: object) -> TakenOut:
        return take_out(archive(*members), folder, target)  # type: ignore[arg-type]

    publisher_of(machine).trees.add(image(number), folder, take)
    types = {} if published else slug_of().process_types
    machine.live(
        app,
        image=image(number),
        key=f"key {number}",
        published=published,
        process_types=types,
    )


def test_a_static_site_is_routed_to_its_files_and_nothing_of_it_runs(machine: Machine) -> None:
    deploy(machine, 1, {"index.html": "one"})
    route = machine.router.table[SHOP]
    assert machine.places() == []
    assert (route.site.state, list(route.targets)) == ("serving", [])
    (folder,) = route.site.static
    assert folder.at == "/"
    assert publisher_of(machine).trees.proof(folder.digest) == folder.digest


def test_the_files_of_three_former_releases_stay_reachable_the_newest_first(
    machine: Machine,
) -> None:
    for number in range(1, 7):
        deploy(machine, number, {"index.html": str(number)})
    deploy(machine, 7, {"index.html": "5"})
    trees = publisher_of(machine).trees
    (folder,) = machine.router.table[SHOP].site.static
    texts = [
        (trees.files(digest) / "index.html").read_text()
        for digest in (folder.digest, *folder.former)
    ]
    assert texts == ["5", "6", "4", "3"]


def test_a_stopped_site_shows_the_page_of_a_stopped_app(machine: Machine) -> None:
    deploy(machine, 1, {"index.html": "one"})
    machine.type("ps:stop shop")
    assert machine.router.table[SHOP].site.state == "stopped"
    assert not machine.router.table[SHOP].site.static
    machine.type("ps:start shop")
    assert machine.router.table[SHOP].site.is_static


def test_requests_for_files_are_never_held(machine: Machine) -> None:
    deploy(machine, 1, {"index.html": "one"})
    machine.store.apps.set_put_back(SHOP, 1)
    app = machine.store.apps.get(SHOP)
    assert not machine.context.back_ends.sites.route(app, 1, []).is_held


def test_people_are_told_that_an_app_is_static(machine: Machine) -> None:
    deploy(machine, 1, {"index.html": "one"})
    assert machine.type("ps shop").errors.strip() == (
        "shop is static: visitors get public/, and no process runs"
    )
    assert machine.type("apps:info shop --format json").json["published"] == "public/ (static.json)"
    assert machine.type("builds:report shop --builds-published-why").out.strip() == "static.json"


def test_folders_are_served_before_web_and_refused_where_the_slug_has_none(
    machine: Machine,
) -> None:
    deploy(machine, 1, {"a.css": "b {}"}, folder="/app/staticfiles", published=None)
    assert not machine.router.table[SHOP].site.static
    answer = machine.type("apps:set shop static=/static/=staticfiles")
    assert answer.status == 0, answer.errors
    route = machine.router.table[SHOP]
    assert [folder.at for folder in route.site.static] == ["/static/"]
    assert not route.site.is_static
    assert len(route.targets) == 1

    answer = machine.type("apps:set shop static=/static/=nowhere body-limit=1m")
    assert refused(answer, "there is no nowhere/ in the slug")
    settings = machine.store.apps.get(SHOP).settings.front
    assert settings.static_folders == ("/static/=staticfiles",)
    assert settings.body_limit_bytes != 1024**2
    machine.type("apps:set shop static=")
    assert not machine.router.table[SHOP].site.static


def test_a_setting_of_something_else_asks_no_image_for_files(machine: Machine) -> None:
    deploy(machine, 1, {"a.css": "b {}"}, folder="/app/staticfiles", published=None)
    machine.type("apps:set shop static=/static/=staticfiles")
    publisher_of(machine).trees.forget(image(1))
    answer = machine.type("apps:set shop body-limit=1m")
    assert answer.status == 0, answer.errors


def test_files_are_served_on_while_the_image_is_gone_and_taken_out_again_where_it_is_there(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    deploy(machine, 1, {"index.html": "one"})
    (folder,) = machine.router.table[SHOP].site.static
    page = publisher_of(machine).trees.files(folder.digest) / "index.html"
    page.write_text("changed")
    machine.context.flow.converger.converge(SHOP, Quiet())
    assert "taken out of sha256:" in caplog.text
    assert "its files are not published" in caplog.text
    assert list(machine.router.table[SHOP].site.static) == [folder]


def test_changed_paths_are_those_that_visitors_ask_for(machine: Machine) -> None:
    deploy(machine, 1, {"index.html": "1", "about.html": "1", "a/index.html": "1", "b b.css": "1"})
    deploy(machine, 2, {"index.html": "2", "about.html": "2", "a/index.html": "1", "\udcff": "1"})
    app, live = machine.store.apps.get(SHOP), machine.store.releases.current(SHOP)
    assert live is not None
    changed = publisher_of(machine).changed_paths(app, live)
    assert changed == ["/", "/%FF", "/about", "/about.html", "/b%20b.css", "/index.html"]
    first = machine.store.releases.get(SHOP, 1)
    assert "/a/" in publisher_of(machine).changed_paths(app, first)


def test_a_hook_reads_which_paths_have_changed(machine: Machine) -> None:
    deploy(machine, 1, {"index.html": "1", "a.css": "1"})
    deploy(machine, 2, {"index.html": "1", "a.css": "2"})
    hooks = machine.home / "hooks"
    hooks.mkdir()
    (hooks / "post-deploy").write_text('echo "$CHANGED_COUNT:" $(cat "$CHANGED_PATHS")\n')
    said: list[str] = []
    live = machine.store.releases.get(SHOP, 2)
    machine.context.flow.deployer.shipper.after_live.follow(live, [], Output(said.append))
    assert "       1: /a.css" in said


def test_a_verification_reads_every_byte_that_is_served(machine: Machine) -> None:
    deploy(machine, 1, {"index.html": "one"})
    deploy(machine, 1, {"index.html": "one"}, app=LIVE)
    machine.type("pipelines:create line shop shop-live")
    assert machine.type("pipelines:verify line").status == 0
    shown = machine.type("pipelines:verify line --format json").json["apps"][0]
    assert shown["digests"] == [image(1)]
    (folder,) = machine.router.table[SHOP].site.static
    (publisher_of(machine).trees.files(folder.digest) / "index.html").write_text("two")
    answer = machine.type("pipelines:verify line")
    assert answer.status == 1
    assert "the files of public/ of v1 are damaged" in answer.errors


def test_files_of_a_site_go_with_the_last_slug_that_has_them(machine: Machine) -> None:
    deploy(machine, 1, {"index.html": "one"})
    deploy(machine, 2, {"index.html": "two"})
    trees, retention = publisher_of(machine).trees, machine.context.upkeep.retention
    first = trees.digest_of(image(1), FOLDER.path)
    assert first is not None
    replace(retention, keep=1).collect()
    assert trees.digest_of(image(1), FOLDER.path) is None
    assert not trees.files(first).exists()
    assert trees.digest_of(image(2), FOLDER.path) is not None


def test_files_of_images_that_somebody_removed_go_unless_visitors_get_them(
    machine: Machine,
) -> None:
    deploy(machine, 1, {"index.html": "one"})
    deploy(machine, 2, {"index.html": "two"})
    for number in (1, 2):
        machine.engine.remove_image(f"pushdeploy-{machine.engine.instance}/slug:key {number}")
        assert machine.engine.image(image(number)) is None
    trees = publisher_of(machine).trees
    machine.context.upkeep.retention.collect()
    assert trees.digest_of(image(1), FOLDER.path) is None
    assert trees.digest_of(image(2), FOLDER.path) is not None


def test_a_slug_without_its_folder_is_refused_with_the_file_that_names_it(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    slug = slug_of(published=FOLDER)
    machine.have(slug)
    with pytest.raises(BuildFailed) as caught:
        publisher_of(machine).ensure(machine.store.apps.get(SHOP), slug, Quiet())
    assert caught.value.message == "there is no public/ in the slug (static.json names it)"
