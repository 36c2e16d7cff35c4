"""The config that all apps share, and how a database of before gets its place for it."""

from dataclasses import replace

import pytest

from pushdeploy.domain.names import AppName
from pushdeploy.domain.settings.deploy import DeploySettings
from pushdeploy.store import Store
from tests.databases import make_older
from tests.unit.samples import BLOG, SHOP, candidate

OTHER = AppName("other")


def test_a_release_has_what_all_apps_share_when_it_is_made(store: Store) -> None:
    store.apps.create(SHOP)
    store.config.share({"A": "1", "B": "2"})
    first = store.releases.create(candidate(config={"B": "own"}))
    store.config.share({"A": None, "B": "3"})
    assert first.whole_config == {"A": "1", "B": "own"}
    assert store.releases.get(SHOP, 1).shared == {"A": "1", "B": "2"}
    assert store.config.shared() == {"B": "3"}
    assert store.config.whole(SHOP) == {"B": "3"}


def test_what_is_live_makes_only_the_own_vars_those_that_are_wanted(store: Store) -> None:
    store.apps.create(SHOP)
    store.config.share({"A": "1"})
    store.releases.create(candidate(config={"B": "2"}))
    store.releases.make_live(SHOP, 1)
    assert store.config.get(SHOP) == {"B": "2"}


@pytest.mark.parametrize(
    ("ref", "chosen", "expected"),
    [
        ("refs/heads/master", None, "master"),
        ("refs/heads/main", None, "main"),
        ("refs/heads/main", "production", "production"),
        (None, None, None),
    ],
)
def test_a_database_of_before_keeps_the_branches_that_deployed(
    store: Store, url: str, ref: str | None, chosen: str | None, expected: str | None
) -> None:
    for app in (SHOP, BLOG, OTHER):
        store.apps.create(app)
    settings = store.apps.get(SHOP).settings
    store.apps.set_settings(SHOP, replace(settings, deploy=DeploySettings(chosen)))
    store.releases.create(candidate(ref=ref))
    store.releases.make_live(SHOP, 1)
    store.releases.create(candidate())
    store.releases.make_live(SHOP, 2)
    store.releases.create(candidate(app=BLOG, ref="refs/heads/master"))  # which never went live
    make_older(store, "0004")

    upgraded = Store.open(url)

    assert upgraded.apps.get(SHOP).settings.deploy.deploy_branch == expected
    assert upgraded.apps.get(BLOG).settings.deploy.deploy_branch is None
    assert upgraded.releases.get(SHOP, 2).whole_config == {}
    upgraded.close()
