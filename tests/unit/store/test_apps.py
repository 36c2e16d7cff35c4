"""Apps: names, settings, and ids that are never given twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from pushdeploy.domain.app import FIRST_UID
from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.errors import UnknownApp, UserError
from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.settings import AppSettings
from pushdeploy.domain.settings.deploy import DeploySettings
from pushdeploy.domain.settings.disks import DiskSettings
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.domain.settings.run import RunSettings
from pushdeploy.store import Store
from pushdeploy.store.schema import APPS
from tests.unit.samples import ALICE, BLOG, DATA, HOST, SHOP, WEB, candidate, slug

CHANGED = AppSettings(
    DeploySettings("prod", release_timeout_seconds=7200, watch_seconds=0, push_waits=True),
    RunSettings(300, stop_grace_seconds=5, capabilities=("NET_RAW",), heroku_names=True),
    FrontSettings(1, 2048, 90, buffering=True, header_names="any"),
    DiskSettings(CutOver.OVERLAP, ("cache",), {"data": 1024}),
)
STORED_BEFORE = {
    "deploy_branch": "prod",
    "release_timeout_seconds": 7200,
    "boot_timeout_seconds": 300,
    "stop_grace_seconds": 5,
    "drain_seconds": 1,
    "body_limit_bytes": 2048,
    "read_timeout_seconds": 90,
    "buffering": True,
    "header_names": "any",
    "heroku_names": True,
    "watch_seconds": 0,
    "push_waits": True,
    "cut_over": "overlap",
    "without_snapshots": ["cache"],
    "disk_limits_bytes": {"data": 1024},
    "capabilities": ["NET_RAW"],
}


def test_new_app_has_the_default_settings_and_no_release(store: Store) -> None:
    app = store.apps.create(SHOP)

    assert app == store.apps.get(SHOP) == store.apps.find(SHOP)
    assert app.settings == AppSettings()
    assert app.formation == {}
    assert app.current_version is None
    assert not app.stopped
    assert app.created_at.tzinfo is not None
    assert app.uid == FIRST_UID + app.id


def test_second_app_of_a_name_is_refused(store: Store) -> None:
    store.apps.create(SHOP)
    with pytest.raises(UserError, match="app shop exists already"):
        store.apps.create(SHOP)


def test_unknown_app_is_named_by_everything_that_needs_one(store: Store) -> None:
    for ask in (
        lambda: store.apps.get(SHOP),
        lambda: store.apps.destroy(SHOP),
        lambda: store.apps.rename(SHOP, BLOG),
        lambda: store.apps.set_stopped(SHOP, True),
        lambda: store.config.get(SHOP),
        lambda: store.config.replace(SHOP, {}),
        lambda: store.disks.of(SHOP),
        lambda: store.domains.add(SHOP, HOST),
        lambda: store.releases.create(candidate(SHOP)),
    ):
        with pytest.raises(UnknownApp, match="app shop does not exist"):
            ask()
    assert store.apps.find(SHOP) is None
    assert store.releases.list(SHOP) == []


def test_apps_are_listed_by_name(store: Store) -> None:
    for name in ("shop", "blog", "api"):
        store.apps.create(AppName(name))
    assert [app.name for app in store.apps.list()] == ["api", "blog", "shop"]


def test_every_setting_is_kept(store: Store) -> None:
    store.apps.create(SHOP)
    store.apps.set_settings(SHOP, CHANGED)
    assert store.apps.get(SHOP).settings == CHANGED


def test_settings_that_an_earlier_version_has_stored_are_read(store: Store) -> None:
    """It kept them in one object, without sections, and perhaps fewer of them, or others."""
    store.apps.create(SHOP)
    with store._database.changing() as connection:
        connection.execute(update(APPS).values(settings={**STORED_BEFORE, "of_tomorrow": 1}))
    assert store.apps.get(SHOP).settings == CHANGED
    with store._database.changing() as connection:
        connection.execute(update(APPS).values(settings={"drain_seconds": 5}))
    assert store.apps.get(SHOP).settings == AppSettings(front=FrontSettings(drain_seconds=5))


def test_settings_formation_and_stopped_are_kept(store: Store) -> None:
    store.apps.create(SHOP)
    settings = AppSettings(deploy=DeploySettings("prod"), front=FrontSettings(drain_seconds=5))

    store.apps.set_settings(SHOP, settings)
    store.apps.set_formation(SHOP, {WEB: 1, ProcessType("worker"): 3})
    store.apps.set_formation(SHOP, {WEB: 2})
    store.apps.set_stopped(SHOP, True)

    app = store.apps.get(SHOP)
    assert app.settings == settings
    assert app.formation == {WEB: 2}
    assert app.stopped


def test_ids_are_never_reused_for_they_are_the_uids_of_disks(store: Store) -> None:
    first = store.apps.create(SHOP)
    store.apps.destroy(SHOP)
    assert store.apps.create(SHOP).id > first.id


def test_renamed_app_keeps_its_uid_its_releases_and_all_else(store: Store) -> None:
    app = store.apps.create(SHOP)
    store.domains.add(SHOP, HOST)
    store.config.replace(SHOP, {"A": "1"})
    version = store.releases.create(candidate(SHOP, config={"A": "1"})).version
    store.releases.make_live(SHOP, version)

    store.apps.rename(SHOP, BLOG)

    assert store.apps.get(BLOG).uid == app.uid
    assert store.domains.of(BLOG) == [HOST]
    assert store.config.get(BLOG) == {"A": "1"}
    current = store.releases.current(BLOG)
    assert current is not None
    assert current.app == BLOG
    assert store.apps.find(SHOP) is None


def test_rename_to_a_name_that_is_taken_changes_nothing(store: Store) -> None:
    store.apps.create(SHOP)
    store.apps.create(BLOG)
    with pytest.raises(UserError, match="app blog exists already"):
        store.apps.rename(SHOP, BLOG)
    assert {app.name for app in store.apps.list()} == {SHOP, BLOG}


def test_destroyed_app_leaves_its_slug_and_nothing_else(store: Store) -> None:
    store.apps.create(SHOP)
    store.domains.add(SHOP, HOST)
    store.disks.replace(SHOP, [Attachment(DATA, "/data")])
    release = store.releases.create(candidate(SHOP))
    with store.releases.recorder(SHOP, release.version) as output:
        output.write("hello")
    store.releases.add_step(SHOP, release.version, "boot", 1.0)

    store.apps.destroy(SHOP)
    assert store.slugs.unused() == [slug()]
    assert store.domains.all() == {}

    store.apps.create(SHOP)
    assert store.releases.create(candidate(SHOP)).version == 1
    assert store.releases.output(SHOP, 1) == []
    assert store.releases.steps(SHOP, 1) == []
    assert store.disks.of(SHOP) == ()


def test_apps_made_at_once_by_many_threads_are_all_there_with_ids_of_their_own(
    store: Store,
) -> None:
    names = [AppName(f"app-{number}") for number in range(40)]
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(store.apps.create, names))
    assert len({app.id for app in made}) == 40
    assert {app.name for app in store.apps.list()} == set(names)


def test_audit_shows_the_newest_first(store: Store) -> None:
    for number in range(5):
        store.audit.record(ALICE, f"ps:scale shop web={number}", number)
    newest, second = store.audit.list(limit=2)
    assert (newest.by, newest.command, newest.exit_status) == (ALICE, "ps:scale shop web=4", 4)
    assert second.exit_status == 3
    assert newest.at >= second.at


def test_meta_keeps_the_last_value(store: Store) -> None:
    assert store.meta.get("colour") is None
    store.meta.set("colour", "red")
    store.meta.set("colour", "blue")
    assert store.meta.get("colour") == "blue"
