"""The ledger: what a release keeps, how it goes live, and what is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import pytest

from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.release import Reason, ReleaseStatus
from pushdeploy.store import Store
from tests.unit.samples import BLOG, DATA, SHOP, candidate, commit, slug

LIVE, RETIRED, FAILED = ReleaseStatus.LIVE, ReleaseStatus.RETIRED, ReleaseStatus.FAILED


@pytest.fixture(autouse=True)
def app(store: Store) -> None:
    store.apps.create(SHOP)


def ship(store: Store, **changes: Any) -> int:
    version = store.releases.create(candidate(**changes)).version
    store.releases.make_live(SHOP, version)
    return version


def test_release_keeps_everything_of_its_candidate(store: Store) -> None:
    given = candidate(
        config={"SECRET": "s3cret\nwith 'quotes'"},
        shared={"ALL": "of all apps"},
        disks=(Attachment(DATA, "/data"),),
        cut_over=CutOver.EXCLUSIVE,
        restore=3,
        reason=Reason.PROMOTE,
        description="Promote v4 of staging",
        ref="refs/heads/main",
        ref_old=commit("old"),
    )
    release = store.releases.create(given)

    kept = [field for field in fields(given) if field.name != "release_phase"]  # a wish, no fact
    for field in kept:
        assert getattr(release, field.name) == getattr(given, field.name), field.name
    assert (release.version, release.status, release.error) == (1, ReleaseStatus.PENDING, "")
    assert release.live_at is None
    assert store.releases.get(SHOP, 1) == release


def test_neither_release_nor_candidate_shows_config_values_in_its_repr(store: Store) -> None:
    given = candidate(config={"SECRET": "s3cret"}, shared={"ALL": "s3cret"})
    assert "s3cret" not in repr(given) + repr(store.releases.create(given))


def test_release_names_its_own_commit_when_another_had_the_same_tree(store: Store) -> None:
    store.slugs.add(slug())
    release = store.releases.create(candidate(slug=slug(commit=commit("amended"))))
    assert release.slug.commit == commit("amended")
    assert store.releases.get(SHOP, 1).slug.image == slug().image


def test_versions_count_within_an_app(store: Store) -> None:
    store.apps.create(BLOG)
    assert [store.releases.create(candidate(app)).version for app in (SHOP, SHOP, BLOG)] == [
        1,
        2,
        1,
    ]


def test_releases_made_at_once_get_versions_of_their_own(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: store.releases.create(candidate()).version, range(30)))
    assert sorted(made) == list(range(1, 31))


def test_make_live_retires_the_former_and_makes_config_and_disks_the_wanted_ones(
    store: Store,
) -> None:
    ship(store, config={"A": "1"})
    store.config.replace(SHOP, {"A": "changed meanwhile"})
    ship(store, config={"A": "2"}, disks=(Attachment(DATA, "/data"),))

    assert [release.status for release in store.releases.list(SHOP)] == [LIVE, RETIRED]
    assert store.apps.get(SHOP).current_version == 2
    assert store.config.get(SHOP) == {"A": "2"}
    assert store.disks.of(SHOP) == (Attachment(DATA, "/data"),)
    current = store.releases.current(SHOP)
    assert current is not None
    assert current.version == 2
    assert current.live_at is not None
    assert current.live_at >= current.created_at


def test_make_live_of_one_app_leaves_the_others_alone(store: Store) -> None:
    store.apps.create(BLOG)
    ship(store)
    store.releases.create(candidate(BLOG, config={"B": "1"}))
    store.releases.make_live(BLOG, 1)

    assert store.releases.get(SHOP, 1).status is LIVE
    assert store.config.get(SHOP) == {}
    assert store.config.get(BLOG) == {"B": "1"}


def test_failed_release_keeps_its_number_and_what_was_live_stays_live(store: Store) -> None:
    ship(store, config={"A": "1"})
    store.releases.create(candidate(config={"A": "bad"}))
    store.releases.fail(SHOP, 2, "migrate: exit code 1")

    failed = store.releases.get(SHOP, 2)
    assert (failed.status, failed.error) == (FAILED, "migrate: exit code 1")
    assert store.releases.latest(SHOP) == failed
    assert store.config.get(SHOP) == {"A": "1"}
    current = store.releases.current(SHOP)
    assert current is not None
    assert current.version == 1
    assert ship(store) == 3


@pytest.mark.parametrize("finished", [LIVE, RETIRED, FAILED])
def test_finished_release_is_never_changed_again(store: Store, finished: ReleaseStatus) -> None:
    version = store.releases.create(candidate()).version
    if finished is FAILED:
        store.releases.fail(SHOP, version, "why")
    else:
        store.releases.make_live(SHOP, version)
    if finished is RETIRED:
        ship(store)
    before = store.releases.list(SHOP)

    changes: list[Callable[[], None]] = [
        lambda: store.releases.make_live(SHOP, version),
        lambda: store.releases.fail(SHOP, version, "again"),
        lambda: store.releases.set_status(SHOP, version, ReleaseStatus.STARTING),
    ]
    for change in changes:
        with pytest.raises(PushdeployError, match=f"v{version} of shop is {finished} already"):
            change()
    assert store.releases.list(SHOP) == before


def test_status_live_cannot_be_set_beside_make_live(store: Store) -> None:
    store.releases.create(candidate())
    with pytest.raises(ValueError, match="make_live"):
        store.releases.set_status(SHOP, 1, LIVE)


def test_unknown_release_is_named(store: Store) -> None:
    for ask in (
        lambda: store.releases.get(SHOP, 9),
        lambda: store.releases.fail(SHOP, 9, ""),
        lambda: store.releases.make_live(SHOP, 9),
        lambda: store.releases.output(SHOP, 9),
        lambda: store.releases.add_step(SHOP, 9, "boot", 1.0),
    ):
        with pytest.raises(UserError, match="there is no release v9 of shop"):
            ask()
    assert store.releases.find(SHOP, 9) is None
    assert store.releases.current(SHOP) is None
    assert store.releases.latest(SHOP) is None


def test_list_shows_the_newest_first_and_no_more_than_asked_for(store: Store) -> None:
    for _ in range(20):
        store.releases.create(candidate())
    assert [release.version for release in store.releases.list(SHOP)] == list(range(20, 5, -1))
    assert [release.version for release in store.releases.list(SHOP, limit=2)] == [20, 19]


def test_unfinished_releases_are_found_again_after_a_kill(store: Store, url: str) -> None:
    for status in (None, *ReleaseStatus):
        version = store.releases.create(candidate()).version
        if status is not None and status.unfinished:
            store.releases.set_status(SHOP, version, status)
        elif status is FAILED:
            store.releases.fail(SHOP, version, "why")
        elif status is not None:
            store.releases.make_live(SHOP, version)

    again = Store.open(url)
    assert [release.status for release in again.releases.unfinished()] == [
        ReleaseStatus.PENDING,
        ReleaseStatus.PENDING,
        ReleaseStatus.RELEASING,
        ReleaseStatus.STARTING,
        ReleaseStatus.SWITCHING,
    ]
    again.close()


def test_live_release_waits_for_its_branch_until_that_has_moved(store: Store) -> None:
    ship(store)
    assert store.releases.refs_pending() == []
    store.releases.create(candidate(ref="refs/heads/main"))
    assert store.releases.refs_pending() == []
    store.releases.make_live(SHOP, 2)
    assert [release.version for release in store.releases.refs_pending()] == [2]
    store.releases.ref_moved(SHOP, 2)
    assert store.releases.refs_pending() == []


def test_steps_are_kept_in_their_order(store: Store) -> None:
    store.releases.create(candidate())
    store.releases.add_step(SHOP, 1, "release", 0.5)
    store.releases.add_step(SHOP, 1, "boot", 1.25)
    assert store.releases.steps(SHOP, 1) == [("release", 0.5), ("boot", 1.25)]
