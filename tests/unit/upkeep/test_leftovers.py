"""What is left over goes: with the store and files as they are, and an engine in memory."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pushdeploy.build.caches import AppCaches
from pushdeploy.domain.app import FIRST_UID
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Busy, PushdeployError
from pushdeploy.domain.leftovers import BuildRecord
from pushdeploy.domain.names import KeyName
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.output import Quiet
from pushdeploy.publish.trees import Trees
from pushdeploy.store import Store
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.upkeep.retention import Retention
from tests.databases import open_store
from tests.fakes import FakeEngine
from tests.unit.samples import BLOG, SHOP
from tests.unit.ssh.host import until


class AskedEngine(FakeEngine):
    """Counts how often it is asked what builds have left, for which Docker counts all it has.

    The first ``busy`` times it counts for somebody else; a network goes once nobody is ``on_it``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.busy = 0
        self.on_it: set[str] = set()

    def build_records(self) -> Sequence[BuildRecord]:
        self.asked += 1
        if self.asked <= self.busy:
            raise PushdeployError("list the build cache: a disk usage operation is already running")
        return super().build_records()

    def remove_network(self, alone: str = "") -> None:
        if alone in self.on_it:
            raise PushdeployError("remove the network: it has active endpoints")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path / "store.sqlite3")
    made.apps.create(SHOP)
    made.apps.create(BLOG)
    yield made
    made.close()


@pytest.fixture
def leftovers(store: Store, tmp_path: Path) -> Leftovers:
    locks, engine = AppLocks(), AskedEngine()
    retention = Retention(store, locks, engine, 2, Trees(tmp_path), wait_seconds=0.1)
    later = datetime.now(UTC) + timedelta(minutes=1)
    return Leftovers(store, locks, engine, AppCaches(tmp_path / "apps"), retention, later)


def test_all_that_builds_of_a_destroyed_app_have_left_goes(leftovers: Leftovers) -> None:
    store, caches, engine = leftovers.store, leftovers.caches, leftovers.engine
    assert isinstance(engine, FakeEngine)
    shop, blog = store.apps.get(SHOP).id, store.apps.get(BLOG).id
    for app_id in (shop, blog):
        caches.directory(app_id, "uv")
        labels = {"pushdeploy.role": "dependencies", "pushdeploy.owner": str(app_id)}
        engine.add_image(f"pushdeploy-fake0000/dependencies:{app_id}", labels=labels)
    with caches.building(shop):
        now = datetime.now(UTC)
    elsewhere = now - timedelta(days=30)
    engine.records = [
        BuildRecord("of-shop", now, now, 1, context=False),
        BuildRecord("of-nobody-here", elsewhere, elsewhere, 1, context=True),
    ]
    store.apps.destroy(SHOP)

    leftovers.remove()

    assert caches.app_ids() == [blog]
    assert [record.id for record in engine.records] == ["of-nobody-here"]
    left = engine.images({"pushdeploy.role": "dependencies"})
    assert [image.labels["pushdeploy.owner"] for image in left] == [str(blog)]


def test_a_start_asks_what_builds_have_left_only_where_one_was_cut_short(
    leftovers: Leftovers,
) -> None:
    engine, caches = leftovers.engine, leftovers.caches
    assert isinstance(engine, AskedEngine)
    shop, blog = (leftovers.store.apps.get(name).id for name in (SHOP, BLOG))
    with caches.building(blog):
        pass
    leftovers.begin()
    assert engine.asked == 0

    with caches.building(shop):
        begun = (caches.root / str(shop) / "builds").read_text()
    (caches.root / str(shop) / "builds").write_text(begun)
    now = datetime.now(UTC)
    engine.records = [BuildRecord("of-shop", now, now, 1, context=True)]
    leftovers.begin()
    assert (engine.asked, engine.records) == (1, [])
    leftovers.begin()
    assert engine.asked == 1, "once is enough"
    leftovers.remove()
    assert engine.asked == 2, "each hour asks"


def test_a_start_removes_what_builds_of_a_destroyed_app_have_left(leftovers: Leftovers) -> None:
    engine, caches, shop = leftovers.engine, leftovers.caches, leftovers.store.apps.get(SHOP).id
    assert isinstance(engine, AskedEngine)
    with caches.building(shop):
        now = datetime.now(UTC)
    engine.records = [BuildRecord("of-shop", now, now, 1, context=False)]
    leftovers.store.apps.destroy(SHOP)

    leftovers.begin()

    assert engine.records == []
    assert caches.app_ids() == []


def test_an_odd_file_among_the_caches_goes(leftovers: Leftovers, tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "99").write_text("what is this?")
    assert leftovers.remove() == ""
    assert leftovers.caches.app_ids() == []


def test_one_that_fails_keeps_no_other_from_being_removed(leftovers: Leftovers) -> None:
    engine, caches = leftovers.engine, leftovers.caches
    assert isinstance(engine, AskedEngine)
    for app_id in (98, 99):
        caches.directory(app_id, "uv")
    engine.on_it = {str(FIRST_UID + 98)}

    assert "active endpoints" in leftovers.remove()

    assert caches.app_ids() == [98], "it is remembered for the next time"
    assert not (caches.root / "98" / "uv").exists(), "downloads need nobody"


def test_a_destroyed_app_is_remembered_until_the_engine_tells_what_its_builds_left(
    leftovers: Leftovers,
) -> None:
    engine, caches, shop = leftovers.engine, leftovers.caches, leftovers.store.apps.get(SHOP).id
    assert isinstance(engine, AskedEngine)
    with caches.building(shop):
        now = datetime.now(UTC)
    engine.records = [BuildRecord("of-shop", now, now, 1, context=False)]
    engine.busy = 2
    leftovers.store.apps.destroy(SHOP)

    for removed in (leftovers.begin, leftovers.remove):
        assert "already running" in removed()
        assert caches.app_ids() == [shop]
        assert [record.id for record in engine.records] == ["of-shop"]
    assert leftovers.begin() == ""
    assert (caches.app_ids(), engine.records) == ([], [])


@pytest.mark.parametrize("built", [True, False])
def test_what_a_destroyed_app_has_left_is_removed_as_soon_as_the_engine_lets_it(
    leftovers: Leftovers, built: bool
) -> None:
    """An app that was never built has a network too."""
    engine, caches, shop = leftovers.engine, leftovers.caches, leftovers.store.apps.get(SHOP).id
    assert isinstance(engine, AskedEngine)
    if built:
        with caches.building(shop):
            pass
        engine.busy = 1
    engine.on_it = {str(FIRST_UID + shop)}
    leftovers.store.apps.destroy(SHOP)

    leftovers.after_destroy(shop)

    until(lambda: caches.app_ids() == [shop])
    engine.on_it.clear()
    until(lambda: caches.app_ids() == [])


def test_what_waits_for_a_deploy_is_told_and_all_else_is_done(leftovers: Leftovers) -> None:
    engine, caches, locks = leftovers.engine, leftovers.caches, leftovers.locks
    assert isinstance(engine, AskedEngine)
    shop = leftovers.store.apps.get(SHOP).id
    with caches.building(shop):
        begun = (caches.root / str(shop) / "builds").read_text()
    (caches.root / str(shop) / "builds").write_text(begun)
    now = datetime.now(UTC)
    engine.records = [BuildRecord("of-shop", now, now, 1, context=True)]
    asker = Asker(KeyName("ada"), Quiet(), Cancellation())
    with locks.hold(BLOG, Purpose("deploy", asker.by), asker.output, asker.cancellation):
        for removed in (leftovers.begin, leftovers.begin):
            with pytest.raises(Busy, match="what Dockerfile builds and destroyed apps have left"):
                removed()
        assert engine.records == []
    assert leftovers.begin() == ""
    asked = engine.asked
    assert leftovers.begin() == ""
    assert engine.asked == asked, "it is settled"
