"""Slugs: found by key, kept as long as a release refers to them."""

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.published import PublishedFolder
from pushdeploy.store import Store
from tests.databases import make_older
from tests.unit.samples import SHOP, candidate, commit, slug


def test_slug_comes_back_with_every_field(store: Store) -> None:
    store.slugs.add(slug())
    assert store.slugs.find("one") == slug()
    assert store.slugs.get(slug().image) == slug()
    assert list(slug().process_types) == list(store.slugs.get(slug().image).process_types)


def test_slug_added_twice_is_there_once(store: Store) -> None:
    store.slugs.add(slug())
    store.slugs.add(slug(commit=commit("another with the same tree")))
    assert store.slugs.unused() == [slug()]


def test_unknown_slugs_are_not_found(store: Store) -> None:
    assert store.slugs.find("one") is None
    with pytest.raises(UserError, match="no slug with the image"):
        store.slugs.get(ImageDigest("sha256:0"))


def test_slug_built_anew_is_found_and_old_releases_still_name_the_image_they_ran(
    store: Store,
) -> None:
    store.apps.create(SHOP)
    store.releases.create(candidate())
    rebuilt = slug(image=ImageDigest("sha256:new"))
    store.slugs.add(rebuilt)
    store.releases.create(candidate(slug=rebuilt))

    assert store.slugs.find("one") == rebuilt
    assert store.releases.get(SHOP, 1).slug == slug()
    assert store.releases.get(SHOP, 2).slug == rebuilt


def test_slug_that_a_release_refers_to_is_neither_unused_nor_removable(store: Store) -> None:
    store.apps.create(SHOP)
    store.releases.create(candidate())
    store.slugs.add(slug("two"))

    assert store.slugs.unused() == [slug("two")]
    with pytest.raises(UserError, match="a release refers to the slug one"):
        store.slugs.remove("one")
    store.slugs.remove("two")
    store.slugs.remove("two")
    assert store.slugs.unused() == []


def test_release_brings_its_slug_along_when_it_is_missing(store: Store) -> None:
    store.apps.create(SHOP)
    store.slugs.add(slug())
    store.slugs.remove("one")
    assert store.releases.create(candidate()).slug == slug()
    assert store.slugs.find("one") == slug()


def test_slug_of_a_database_of_before_publishes_nothing(store: Store, url: str) -> None:
    store.slugs.add(slug())
    make_older(store, "0007")
    upgraded = Store.open(url)
    assert upgraded.slugs.find("one") == slug()
    upgraded.close()


def test_published_folder_of_a_slug_comes_back(store: Store) -> None:
    site = slug(published=PublishedFolder("/app/p\u00fcblic", "static.json"))
    store.slugs.add(site)
    assert store.slugs.find("one") == site
