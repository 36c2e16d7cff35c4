"""What is told of releases, from a real ledger and an engine in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.domain.config import staged_keys
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.release import Release
from pushdeploy.reads.releases import ReleaseReader
from tests.databases import open_store
from tests.fakes import FakeEngine
from tests.unit.samples import SHOP, candidate, slug


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[ReleaseReader]:
    store = open_store(tmp_path / "store.sqlite3")
    store.apps.create(SHOP)
    yield ReleaseReader(store, FakeEngine())
    store.close()


def released(reader: ReleaseReader, key: str, **config: str) -> Release:
    """A live release whose slug is an image of the engine."""
    store, engine = reader.store, reader.engine
    assert isinstance(engine, FakeEngine)
    if engine.image(slug(key).image) is None:
        engine.add_image(f"slug:{key}", digest=slug(key).image)
    made = store.releases.create(candidate(slug=slug(key), config=config))
    store.releases.make_live(SHOP, made.version)
    return store.releases.get(SHOP, made.version)


def test_the_ledger_tells_which_release_is_live_and_which_slugs_are_gone(
    reader: ReleaseReader,
) -> None:
    for key in ("one", "two", "three"):
        released(reader, key)
    reader.engine.remove_image("slug:one")

    entries = reader.ledger(SHOP, 5)

    told = [(entry.release.version, entry.current, entry.expired) for entry in entries]
    assert told == [(3, True, False), (2, False, False), (1, False, True)]


def test_config_vars_are_compared_with_the_release_that_was_live_before(
    reader: ReleaseReader,
) -> None:
    released(reader, "one", KEPT="1", CHANGED="1", GONE="1")
    failed = reader.store.releases.create(candidate(slug=slug("one"), config={"LOST": "1"}))
    reader.store.releases.fail(SHOP, failed.version, "it did not start")
    last = released(reader, "one", KEPT="1", CHANGED="2", NEW="1", ALSO="1")

    changes = reader.details(SHOP, last.version).config

    assert list(changes.added) == ["ALSO", "NEW"]
    assert list(changes.changed) == ["CHANGED"]
    assert list(changes.removed) == ["GONE"]


def test_an_app_without_releases_has_none_to_tell_of(reader: ReleaseReader) -> None:
    with pytest.raises(UserError, match="no releases yet"):
        reader.entry(SHOP, None)


def test_vars_are_staged_that_the_live_release_has_not_so(reader: ReleaseReader) -> None:
    live = released(reader, "one", A="1", B="1")
    assert list(staged_keys(live, {"A": "1", "B": "2", "C": "3"})) == ["B", "C"]
    assert list(staged_keys(None, {"A": "1"})) == []
