"""Snapshots in the database, and what a release and an app remember of them."""

import pytest

from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.errors import UnknownApp, UserError
from pushdeploy.store import Store
from tests.unit.samples import ALICE, BLOG, DATA, SHOP, candidate


@pytest.fixture(autouse=True)
def apps(store: Store) -> None:
    for name in (SHOP, BLOG):
        store.apps.create(name)


def test_a_snapshot_counts_when_it_is_complete(store: Store) -> None:
    begun = store.snapshots.create(SHOP, "By hand", ALICE)
    assert store.snapshots.newest(SHOP) is None
    with pytest.raises(UserError, match=f"no snapshot {begun.label} of shop"):
        store.snapshots.get(SHOP, begun.id)

    store.snapshots.complete(begun.id, "copy", {DATA: 7_000_000_000})

    found = store.snapshots.get(SHOP, begun.id)
    assert (found.kind, found.sizes_bytes, found.complete) == ("copy", {DATA: 7_000_000_000}, True)
    assert store.snapshots.newest(SHOP) == found


def test_a_snapshot_of_another_app_is_not_found(store: Store) -> None:
    theirs = store.snapshots.create(BLOG, "By hand", ALICE)
    store.snapshots.complete(theirs.id, "copy", {DATA: 1})
    with pytest.raises(UserError):
        store.snapshots.get(SHOP, theirs.id)
    with pytest.raises(UnknownApp):
        store.snapshots.create(SHOP.__class__("nobody"), "By hand", ALICE)


def test_a_number_is_never_given_twice(store: Store) -> None:
    first = store.snapshots.create(SHOP, "By hand", ALICE)
    store.snapshots.remove(first.id)
    assert store.snapshots.create(SHOP, "By hand", ALICE).id > first.id


def test_what_was_cut_short_is_forgotten_and_the_rest_has_places(store: Store) -> None:
    kept = store.snapshots.create(SHOP, "By hand", ALICE)
    store.snapshots.complete(kept.id, "copy", {DATA: 1})
    store.snapshots.create(SHOP, "By hand", ALICE)
    store.snapshots.forget_incomplete()
    assert [each.id for each in store.snapshots.list(SHOP)] == [kept.id]
    assert store.snapshots.places() == {(store.apps.get(SHOP).id, kept.id)}


def test_snapshots_go_with_their_app(store: Store) -> None:
    mine = store.snapshots.create(SHOP, "By hand", ALICE)
    store.snapshots.complete(mine.id, "copy", {DATA: 1})
    store.apps.destroy(SHOP)
    assert store.snapshots.places() == frozenset()


def test_a_release_that_goes_live_ends_what_was_to_be_put_back(store: Store) -> None:
    made = store.releases.create(candidate(cut_over=CutOver.EXCLUSIVE))
    store.releases.set_snapshot(SHOP, made.version, 3)
    store.apps.set_put_back(SHOP, 3)
    assert store.apps.get(SHOP).put_back == 3

    store.releases.make_live(SHOP, made.version)

    assert store.apps.get(SHOP).put_back is None
    live = store.releases.get(SHOP, made.version)
    assert (live.cut_over, live.snapshot) == (CutOver.EXCLUSIVE, 3)


def test_a_release_that_fails_leaves_it_to_be_put_back(store: Store) -> None:
    made = store.releases.create(candidate())
    store.apps.set_put_back(SHOP, 3)
    store.releases.fail(SHOP, made.version, "boom")
    assert store.apps.get(SHOP).put_back == 3
