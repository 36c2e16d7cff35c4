"""What is left over goes: with the store and files as they are, and an engine in memory."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pushdeploy.build.caches import AppCaches
from pushdeploy.domain.leftovers import BuildRecord
from pushdeploy.locks.apps import AppLocks
from pushdeploy.store import Store
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.upkeep.retention import Retention
from tests.fakes import FakeEngine
from tests.unit.samples import BLOG, SHOP


class AskedEngine(FakeEngine):
    """Counts how often it is asked what builds have left, for which Docker counts all it has."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def build_records(self) -> Sequence[BuildRecord]:
        self.asked += 1
        return super().build_records()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    made.apps.create(SHOP)
    made.apps.create(BLOG)
    yield made
    made.close()


@pytest.fixture
def leftovers(store: Store, tmp_path: Path) -> Leftovers:
    locks, engine = AppLocks(), AskedEngine()
    retention = Retention(store, locks, engine, 2)
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


def test_one_that_fails_keeps_no_other_from_being_removed(
    leftovers: Leftovers, tmp_path: Path
) -> None:
    """The cache of an app is a file where a directory should be."""
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "99").write_text("what is this?")
    leftovers.remove()
    assert leftovers.caches.app_ids() == []
