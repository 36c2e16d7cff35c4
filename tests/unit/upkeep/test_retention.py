"""Removing what nothing needs from an engine and a store, and never during a deploy."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerSpec
from pushdeploy.domain.errors import Busy
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.release import Release
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.locks.pins import Pins
from pushdeploy.output import Quiet
from pushdeploy.publish.trees import Trees
from pushdeploy.reads.releases import ReleaseReader
from pushdeploy.store import Store
from pushdeploy.upkeep.retention import Retention
from tests.databases import open_store
from tests.fakes import FakeEngine
from tests.unit.samples import BLOG, SHOP, candidate, slug

KEEP = 2
PREFIX = "pushdeploy-fake0000"


class Place:
    """A ledger of one app, whose slugs are images."""

    def __init__(self, store: Store, trees: Trees) -> None:
        self.store = store
        self.locks = AppLocks()
        self.engine = FakeEngine()
        self.pins = Pins()
        self.retention = Retention(store, self.locks, self.engine, KEEP, trees, pins=self.pins)
        self.reader = ReleaseReader(store, self.engine)
        store.apps.create(SHOP)

    def release(self, key: str, *, layer: str = "") -> Release:
        self.image(key, layer)
        made = self.store.releases.create(candidate(slug=slug(key)))
        with self.store.releases.recorder(SHOP, made.version) as output:
            output.write(f"released {key}")
        self.store.releases.make_live(SHOP, made.version)
        return self.store.releases.get(SHOP, made.version)

    def image(self, key: str, layer: str = "") -> ImageDigest:
        below = {"pushdeploy.dependencies": layer} if layer else {}
        labels = {"pushdeploy.role": "slug", **below}
        return self.engine.add_image(f"{PREFIX}/slug:{key}", labels=labels, digest=slug(key).image)

    def slugs(self) -> list[str]:
        found = self.engine.images({"pushdeploy.role": "slug"})
        return sorted(tag.partition(":")[2] for info in found for tag in info.tags)


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Place:
    return Place(store, Trees(tmp_path))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path / "store.sqlite3")
    yield made
    made.close()


def test_slugs_behind_the_last_go_and_their_releases_stay_as_expired(place: Place) -> None:
    for key in ("one", "two", "three", "four"):
        place.release(key)

    found = place.retention.collect()

    assert place.slugs() == ["four", "three"]
    assert sorted((verdict.image.id, verdict.stays) for verdict in found) == sorted(
        (slug(key).image, key in {"three", "four"}) for key in ("one", "two", "three", "four")
    )
    releases = place.store.releases.list(SHOP)
    assert [release.version for release in releases] == [4, 3, 2, 1]
    assert place.reader.expired(releases) == {1, 2}
    assert place.store.releases.output(SHOP, 1) == []
    assert place.store.releases.output(SHOP, 3) == ["released three"]


def test_a_slug_that_is_pinned_stays_for_as_long(place: Place) -> None:
    for key in ("one", "two", "three"):
        place.release(key)

    with place.pins.pinned(slug("one").image):
        place.retention.collect()
        assert place.slugs() == ["one", "three", "two"]

    place.retention.collect()
    assert place.slugs() == ["three", "two"]


def test_a_plan_removes_nothing(place: Place) -> None:
    for key in ("one", "two", "three"):
        place.release(key)
    assert [verdict.stays for verdict in place.retention.plan()] == [False, True, True]
    assert place.slugs() == ["one", "three", "two"]


def test_a_slug_that_was_built_and_never_released_goes_with_its_row(place: Place) -> None:
    place.release("one")
    place.store.slugs.add(slug("stray"))
    place.image("stray")
    place.retention.collect()
    assert place.slugs() == ["one"]
    assert place.store.slugs.find("stray") is None


def test_an_image_that_somebody_tagged_stays(place: Place) -> None:
    for key in ("one", "two", "three"):
        place.release(key)
    place.engine.tag(slug("one").image, "registry.example.com/kept:1")
    found = place.retention.collect()
    assert place.engine.image(slug("one").image) is not None
    (kept,) = [verdict for verdict in found if verdict.image.id == slug("one").image]
    assert kept.stays, "it is not said to be gone"
    assert kept.why == "nothing needs it, but it could not be removed now"
    assert place.reader.expired(place.store.releases.list(SHOP)) == set()


def test_the_image_of_a_container_stays(place: Place) -> None:
    for key in ("one", "two", "three"):
        place.release(key)
    place.engine.create(ContainerSpec(image=slug("one").image, name="run.1", labels={}))
    place.retention.collect()
    assert place.slugs() == ["one", "three", "two"]


def test_nothing_is_removed_while_a_deploy_is_going_on(place: Place) -> None:
    for key in ("one", "two", "three"):
        place.release(key)
    purpose = Purpose("deploy of abc1234", "alice")
    with (
        place.locks.hold(SHOP, purpose, Quiet(), Cancellation()),
        pytest.raises(Busy, match="a deploy is going on"),
    ):
        replace(place.retention, wait_seconds=0.05).collect()
    assert place.slugs() == ["one", "three", "two"]


def test_a_live_release_removes_what_it_pushed_out_in_the_background(place: Place) -> None:
    place.release("one", layer="old")
    place.release("two", layer="new")
    place.release("three", layer="new")

    place.retention.collect_behind(SHOP)

    for thread in threading.enumerate():
        if thread.name == f"expire-{SHOP}":
            thread.join(20)
    assert place.slugs() == ["three", "two"]


def test_what_another_app_runs_is_not_removed_in_the_background(place: Place) -> None:
    other = place.store.apps.create(BLOG).name
    place.release("one")
    made = place.store.releases.create(candidate(other, slug=slug("one")))
    place.store.releases.make_live(other, made.version)
    place.release("two")
    place.release("three")

    place.retention.collect_behind(SHOP)

    for thread in threading.enumerate():
        if thread.name == f"expire-{SHOP}":
            thread.join(20)
    assert place.slugs() == ["one", "three", "two"]
