"""Pipelines: stages in the order in which they appear, an app in one of them at most."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from pushdeploy.domain.app import AppLock
from pushdeploy.domain.errors import UnknownApp, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.pipeline import Member, Pipeline, PipelineName, Place, StageName
from pushdeploy.store import Store
from tests.databases import make_older
from tests.unit.samples import ALICE, BLOG, SHOP

MAIN = PipelineName("main")
STAGING, PRODUCTION = StageName("staging"), StageName("production")
SHOP_STAGING = AppName("shop-staging")


def _with_apps(store: Store, *names: AppName) -> None:
    for name in names:
        store.apps.create(name)


def _stages(*names: str) -> Sequence[StageName]:
    return tuple(StageName(name) for name in names)


def test_stages_stand_in_the_order_in_which_they_first_appear(store: Store) -> None:
    _with_apps(store, SHOP, SHOP_STAGING, BLOG)
    assert store.pipelines.create(MAIN) == Pipeline(MAIN, (), ())

    store.pipelines.add(MAIN, BLOG, StageName("canary"))
    store.pipelines.add(MAIN, SHOP_STAGING, STAGING)
    pipeline = store.pipelines.add(MAIN, SHOP, StageName("canary"))

    assert pipeline == store.pipelines.get(MAIN) == store.pipelines.of(SHOP)
    assert pipeline.stages == _stages("canary", "staging")
    assert pipeline.members == (
        Member(BLOG, StageName("canary")),
        Member(SHOP, StageName("canary")),
        Member(SHOP_STAGING, STAGING),
    )


def test_second_pipeline_of_a_name_is_refused(store: Store) -> None:
    store.pipelines.create(MAIN)
    with pytest.raises(UserError, match="pipeline main exists already"):
        store.pipelines.create(MAIN)


def test_unknown_pipeline_is_told_with_those_that_exist(store: Store) -> None:
    for name in ("zebra", "apple"):
        store.pipelines.create(PipelineName(name))
    with pytest.raises(UserError, match="pipeline main does not exist") as caught:
        store.pipelines.get(MAIN)
    assert caught.value.hint == "there are: apple, zebra"
    assert store.pipelines.find(MAIN) is None
    assert [pipeline.name for pipeline in store.pipelines.list()] == ["apple", "zebra"]


def test_everything_that_names_a_pipeline_refuses_an_unknown_one(store: Store) -> None:
    _with_apps(store, SHOP)
    for ask in (
        lambda: store.pipelines.add(MAIN, SHOP, STAGING),
        lambda: store.pipelines.set_stages(MAIN, []),
        lambda: store.pipelines.rename(MAIN, PipelineName("other")),
        lambda: store.pipelines.destroy(MAIN),
    ):
        with pytest.raises(UserError, match="pipeline main does not exist") as caught:
            ask()
        assert caught.value.hint == "pipelines:create makes one"


def test_app_in_another_pipeline_is_refused_and_the_other_is_named(store: Store) -> None:
    _with_apps(store, SHOP)
    other = PipelineName("other")
    store.pipelines.create(MAIN)
    store.pipelines.create(other)
    store.pipelines.add(other, SHOP, STAGING)

    with pytest.raises(UserError, match="shop is in the pipeline other already, as staging"):
        store.pipelines.add(MAIN, SHOP, PRODUCTION)

    assert store.pipelines.get(MAIN).stages == ()
    assert store.pipelines.of(SHOP) == store.pipelines.get(other)
    assert store.pipelines.place_of(SHOP) == Place(other, STAGING)


def test_unknown_app_is_refused_and_leaves_no_stage(store: Store) -> None:
    store.pipelines.create(MAIN)
    with pytest.raises(UnknownApp):
        store.pipelines.add(MAIN, SHOP, STAGING)
    with pytest.raises(UnknownApp):
        store.pipelines.set_stage(SHOP, STAGING)
    with pytest.raises(UnknownApp):
        store.pipelines.remove(SHOP)
    assert store.pipelines.get(MAIN).stages == ()
    assert store.pipelines.of(SHOP) is None


def test_app_moves_to_another_stage_behind_those_that_are_there(store: Store) -> None:
    _with_apps(store, SHOP, BLOG)
    store.pipelines.create(MAIN)
    store.pipelines.add(MAIN, SHOP, STAGING)
    store.pipelines.add(MAIN, BLOG, PRODUCTION)

    pipeline = store.pipelines.set_stage(SHOP, PRODUCTION)

    assert pipeline.stages == _stages("staging", "production")
    assert pipeline.apps_in(PRODUCTION) == [BLOG, SHOP]


def test_stages_are_reordered_when_all_that_have_apps_are_named(store: Store) -> None:
    _with_apps(store, SHOP, BLOG)
    store.pipelines.create(MAIN)
    store.pipelines.add(MAIN, SHOP, PRODUCTION)
    store.pipelines.add(MAIN, BLOG, STAGING)

    for wrong, why in (
        ([PRODUCTION], "staging of main has apps and must be named too"),
        ([STAGING, PRODUCTION, STAGING], "a stage is named twice"),
    ):
        with pytest.raises(UserError, match=why):
            store.pipelines.set_stages(MAIN, wrong)
    assert store.pipelines.get(MAIN).downstream(SHOP) == [BLOG]

    assert store.pipelines.set_stages(MAIN, [STAGING, PRODUCTION]).downstream(BLOG) == [SHOP]


def test_removed_app_is_in_no_pipeline_and_lives_on(store: Store) -> None:
    _with_apps(store, SHOP)
    store.pipelines.create(MAIN)
    store.pipelines.add(MAIN, SHOP, STAGING)

    assert store.pipelines.remove(SHOP).members == ()

    assert store.pipelines.of(SHOP) is None
    assert store.pipelines.place_of(SHOP) is None
    assert store.apps.get(SHOP).name == SHOP
    with pytest.raises(UserError, match="shop is in no pipeline"):
        store.pipelines.remove(SHOP)


def test_destroyed_app_leaves_its_pipeline(store: Store) -> None:
    _with_apps(store, SHOP, BLOG)
    store.pipelines.create(MAIN)
    store.pipelines.add(MAIN, SHOP, STAGING)
    store.pipelines.add(MAIN, BLOG, PRODUCTION)

    store.apps.destroy(SHOP)

    assert store.pipelines.get(MAIN).members == (Member(BLOG, PRODUCTION),)


def test_renamed_app_and_renamed_pipeline_stay_together(store: Store) -> None:
    _with_apps(store, SHOP)
    store.pipelines.create(MAIN)
    store.pipelines.add(MAIN, SHOP, STAGING)

    store.apps.rename(SHOP, BLOG)
    store.pipelines.rename(MAIN, PipelineName("other"))

    pipeline = store.pipelines.of(BLOG)
    assert pipeline is not None
    assert (pipeline.name, pipeline.members) == ("other", (Member(BLOG, STAGING),))


def test_rename_to_a_name_that_is_taken_changes_nothing(store: Store) -> None:
    store.pipelines.create(MAIN)
    store.pipelines.create(PipelineName("other"))
    with pytest.raises(UserError, match="pipeline other exists already"):
        store.pipelines.rename(MAIN, PipelineName("other"))
    assert [pipeline.name for pipeline in store.pipelines.list()] == ["main", "other"]


def test_destroyed_pipeline_sets_its_apps_free(store: Store) -> None:
    _with_apps(store, SHOP)
    store.pipelines.create(MAIN)
    store.pipelines.add(MAIN, SHOP, STAGING)

    store.pipelines.destroy(MAIN)

    assert store.pipelines.list() == []
    assert store.pipelines.of(SHOP) is None
    store.pipelines.create(MAIN)
    assert store.pipelines.get(MAIN).members == ()


def test_lock_of_a_person_is_kept_with_the_app_and_taken_off_again(store: Store) -> None:
    assert store.apps.create(SHOP).lock is None
    lock = AppLock(ALICE, "until the sale ends", datetime(2026, 1, 31, 12, tzinfo=UTC))

    store.apps.set_lock(SHOP, lock)
    assert store.apps.get(SHOP).lock == lock
    assert [app.lock for app in store.apps.list()] == [lock]

    store.apps.set_lock(SHOP, None)
    assert store.apps.get(SHOP).lock is None
    with pytest.raises(UnknownApp):
        store.apps.set_lock(BLOG, None)


def test_database_of_the_first_schema_keeps_its_apps_when_it_is_upgraded(
    store: Store, url: str
) -> None:
    _with_apps(store, SHOP)
    make_older(store, "0001")

    with_upgrade = Store.open(url)

    assert with_upgrade.apps.get(SHOP).lock is None
    assert with_upgrade.pipelines.list() == []
    with_upgrade.close()
