"""The rules of an app's front: kept, and closed rather than open where they cannot be read."""

import json

import pytest

from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.network import parse_network
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.store import Store
from pushdeploy.store.front_json import front_json, front_of
from pushdeploy.store.reading import Reading
from tests.databases import make_older
from tests.unit.samples import BLOG, SHOP

RULES = FrontRules(
    Maintenance("<p>ü</p>", (parse_network("10.0.0.0/8"), parse_network("fd00::1"))),
)


def test_rules_are_kept_through_a_rename_and_go_with_the_app(store: Store) -> None:
    store.apps.create(SHOP)
    assert store.apps.get(SHOP).front == FrontRules()
    store.apps.set_front(SHOP, RULES)
    store.apps.rename(SHOP, BLOG)
    assert store.apps.get(BLOG).front == RULES
    store.apps.destroy(BLOG)
    store.apps.create(BLOG)
    assert store.apps.get(BLOG).front == FrontRules()


def test_what_is_stored_is_json_without_what_is_not_there() -> None:
    assert front_json(FrontRules()) == {}
    reading = Reading()
    assert front_of(json.loads(json.dumps(front_json(RULES))), reading) == RULES
    assert reading.lost == []


@pytest.mark.parametrize(
    "stored",
    [
        *([], "on", 5, {"maintenance": True}, {"maintenance": {"page": None}}),
        {"maintenance": {"page": None, "allowed": ["nobody"]}},
        {"maintenance": {"page": None, "allowed": 7}},
    ],
)
def test_maintenance_that_cannot_be_read_is_on(stored: object) -> None:
    reading = Reading()
    assert front_of(stored, reading).maintenance == Maintenance()
    assert reading.lost in (["front"], ["front.maintenance"])


def test_rules_of_a_later_version_are_left_alone() -> None:
    assert front_of({"teleport": [1]}, Reading()) == FrontRules()


def test_a_database_of_before_has_apps_without_rules(store: Store, url: str) -> None:
    store.apps.create(SHOP)
    make_older(store, "0009")
    upgraded = Store.open(url)
    assert upgraded.apps.get(SHOP).front == FrontRules()
    upgraded.close()
