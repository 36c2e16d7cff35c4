"""What the database holds of one app is damaged, column by column: the app and all others go on."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import JSON

from pushdeploy.doctor.check import Installation
from pushdeploy.doctor.checks import records
from pushdeploy.domain.certificate import Certificate, Pem
from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.pipeline import PipelineName, StageName
from pushdeploy.domain.settings import AppSettings, changed_settings
from pushdeploy.domain.slug import Healthcheck
from pushdeploy.instance import Home
from pushdeploy.settings import load_settings
from pushdeploy.store.columns import Json
from pushdeploy.store.schema import METADATA
from tests.unit.commands.machine import AT, SHOP, WEB, Machine, slug_of

BLOG = AppName("blog")

DAMAGE = ("null", "[1]", '{"a": ', "", "5", '"x"', "\0")
"""None of it is what any column holds."""

JSON_COLUMNS = {
    "apps": ("settings", "formation", "config", "disks", "front"),
    "slugs": ("process_types", "checks", "formation", "published"),
    "releases": ("config", "shared_config", "disks"),
    "snapshots": ("sizes_bytes",),
    "pipelines": ("stages",),
    "certificates": ("names",),
}
NULLABLE = ("front", "shared_config", "published")
ENUMS = {"releases": ("status", "reason", "cut_over"), "slugs": ("runs_as",), "audit": ("state",)}
CERTIFICATE = Certificate(
    0, "own", SHOP, None, ("a.example.com",), "CA", AT, AT, "00:11", "EC P-256", "ada", AT
)
READING = (
    *("apps:list", "apps:info shop", "apps:set shop", "ps shop", "ps:scale shop", "audit"),
    *("config:keys shop", "releases shop", "releases:info shop", "disks:list shop"),
    *("disks:snapshots shop", "disks:set shop", "pipelines", "pipelines:info main"),
    "domains shop",
)


@pytest.fixture
def two(machine: Machine) -> Machine:
    """A shop with everything, which is damaged, and beside it a blog."""
    for name, key in ((SHOP, "one"), (BLOG, "two")):
        machine.store.apps.create(name)
        machine.store.apps.set_settings(name, changed_settings(AppSettings(), ["drain=5s"]))
        machine.store.apps.set_formation(name, {WEB: 2})
        machine.store.config.replace(name, {"COLOUR": "red"})
        machine.store.disks.replace(name, [Attachment.parse("data", "/data")])
        machine.live(name, key=key, checks={WEB: (Healthcheck(path="/up"),)}, formation={WEB: 1})
        machine.type(f"disks:snapshot {name}")
    machine.store.certificates.add(CERTIFICATE, Pem("chain", "key"))
    machine.store.pipelines.create(PipelineName("main"))
    for name in (SHOP, BLOG):
        machine.store.pipelines.add(PipelineName("main"), name, StageName(f"of-{name}"))
    return machine


def damage(machine: Machine, table: str, column: str, stored: str | None) -> None:
    of_the_shop = {
        "apps": "name = 'shop'",
        "slugs": "key = 'one'",
        "pipelines": "name = 'main'",
        "audit": "id = 1",
        "certificates": "id = 1",
    }.get(table, "app_id = (SELECT id FROM apps WHERE name = 'shop')")
    with closing(sqlite3.connect(Home(machine.home).database)) as database:
        changed = database.execute(f"UPDATE {table} SET {column} = ? WHERE {of_the_shop}", [stored])
        assert changed.rowcount == 1
        database.commit()


def told(machine: Machine) -> list[str]:
    """What the doctor says."""
    installation = Installation(load_settings(home=machine.home), Home(machine.home))
    return [
        f"{each.detail} {each.mend}" for each in records.CHECK.look(installation) if not each.ok
    ]


def start(machine: Machine) -> None:
    """What a server does of apps at its start, with what runs."""
    upkeep = machine.context.upkeep
    upkeep.recovery.recover()
    upkeep.reconciler.route_all([])
    upkeep.reconciler.converge_all()
    machine.context.flow.promoter.take_back.recover()


def test_every_column_of_json_is_tried() -> None:
    found = {
        table.name: tuple(each.name for each in table.columns if isinstance(each.type, Json | JSON))
        for table in METADATA.sorted_tables
    }
    assert {name: columns for name, columns in found.items() if columns} == JSON_COLUMNS


@pytest.mark.parametrize(
    ("table", "column"),
    [(t, c) for found in (JSON_COLUMNS, ENUMS) for t, columns in found.items() for c in columns],
)
def test_damage_of_one_column_stops_nothing(two: Machine, table: str, column: str) -> None:
    before, blog, route = two.places(), two.places(BLOG), two.router.table[BLOG]
    for stored in DAMAGE:
        damage(two, table, column, stored)

        start(two)

        assert two.places() == (["web.1"] if (table, column) == ("apps", "formation") else before)
        assert two.places(BLOG) == blog
        assert two.router.table[BLOG] == route
        found = told(two)
        assert found or table == "audit" or (column in NULLABLE and stored == "null")
        assert all(f"{column} of " in line for line in found)
        assert not any("blog" in line for line in found)
    for line in READING:
        answer = two.type(line)
        assert answer.status == 0, (line, answer.errors)


@pytest.mark.parametrize(
    ("settings", "named", "mend"),
    [
        ({"drain_seconds": "x"}, "settings.drain", "apps:set shop drain="),
        ({"drain_seconds": -1}, "settings.drain", "apps:set shop drain="),
        ({"drain_seconds": None}, "settings.drain", "apps:set shop drain="),
        ({"buffering": "off"}, "settings.buffering", "apps:set shop buffering="),
        ({"header_names": 7}, "settings.header-names", "apps:set shop header-names="),
        ({"capabilities": "NET_RAW"}, "settings.capabilities", "apps:set shop capabilities="),
        ({"deploy_branch": "../x"}, "settings.deploy-branch", "apps:set shop deploy-branch="),
        ({"cut_over": "both"}, "settings.cutover", "disks:set shop cutover=exclusive"),
        ({"cut_over": []}, "settings.cutover", "disks:set shop cutover=exclusive"),
        ({"without_snapshots": 3}, "settings.snapshots", "disks:set shop DISK snapshots=on"),
        ({"disk_limits_bytes": {"data": "x"}}, "settings.size.data", "disks:set shop DISK size="),
        ({"disk_limits_bytes": []}, "settings.size", "disks:set shop DISK size="),
    ],
)
def test_one_bad_setting_costs_that_one_alone(
    two: Machine, settings: Mapping[str, object], named: str, mend: str
) -> None:
    damage(two, "apps", "settings", json.dumps({"stop_grace_seconds": 7, **settings}))

    found = two.store.apps.get(SHOP).settings

    assert found == changed_settings(AppSettings(), ["stop-grace=7s"])
    [said] = told(two)
    assert f"{named} of shop cannot be read" in said
    assert mend in said


def test_what_the_doctor_says_to_type_mends_a_setting(two: Machine) -> None:
    damage(two, "apps", "settings", '{"drain_seconds": "x", "stop_grace_seconds": 7}')
    assert two.type("apps:set shop drain=").status == 0
    assert told(two) == []
    assert two.store.apps.get(SHOP).settings.run.stop_grace_seconds == 7


def test_settings_of_a_later_version_are_no_damage(two: Machine) -> None:
    damage(two, "apps", "settings", '{"drain_seconds": 5, "colour": ["red"]}')
    assert told(two) == []


def test_damaged_config_is_that_of_the_live_release_until_the_next_one(two: Machine) -> None:
    damage(two, "apps", "config", '{"COLOUR": "r')
    assert two.store.config.get(SHOP) == {"COLOUR": "red"}
    assert two.type("config:set shop SIZE=2").status == 0
    assert told(two) == []
    assert two.store.config.get(SHOP) == {"COLOUR": "red", "SIZE": "2"}


def test_damaged_config_of_the_live_release_is_that_of_the_app(two: Machine) -> None:
    damage(two, "releases", "config", "null")
    damage(two, "releases", "disks", "null")
    live = two.store.releases.current(SHOP)
    assert live is not None
    assert live.config == {"COLOUR": "red"}
    assert [str(each.disk) for each in live.disks] == ["data"]
    assert not live.unreadable


def test_with_both_damaged_nothing_is_started_and_what_runs_goes_on(two: Machine) -> None:
    for table in ("apps", "releases"):
        damage(two, table, "config", "[")
    running = list(two.scheduler.running)
    start(two)
    assert two.scheduler.running == running
    answer = two.type("config:set shop SIZE=2")
    assert answer.status == 69
    assert "config of shop cannot be read" in answer.errors
    assert "backup" in answer.errors


def test_nothing_goes_back_to_a_release_whose_config_is_damaged(two: Machine) -> None:
    two.live(SHOP, key="newer")
    with closing(sqlite3.connect(Home(two.home).database)) as database:
        database.execute("UPDATE releases SET config = 'x' WHERE version = 1")
        database.commit()
    answer = two.type("releases:rollback shop v1")
    assert answer.status == 1
    assert "config of v1 of shop cannot be read" in answer.errors
    assert two.store.config.get(SHOP) == {"COLOUR": "red"}


def test_a_damaged_slug_is_built_anew_and_mended(two: Machine) -> None:
    damage(two, "slugs", "process_types", "{")
    assert two.store.slugs.find("one") is None
    whole = slug_of(key="one")
    two.store.slugs.add(whole)
    assert two.store.slugs.find("one") == whole


def test_an_unknown_cut_over_of_a_release_with_a_disk_is_exclusive(two: Machine) -> None:
    damage(two, "releases", "cut_over", "sideways")
    live = two.store.releases.current(SHOP)
    assert live is not None
    assert live.cut_over is CutOver.EXCLUSIVE


def test_stages_of_a_damaged_pipeline_are_those_of_its_apps(two: Machine) -> None:
    damage(two, "pipelines", "stages", "null")
    assert two.store.pipelines.get(PipelineName("main")).stages == ("of-shop", "of-blog")


def test_a_formation_leaves_out_what_is_damaged(two: Machine) -> None:
    damage(two, "apps", "formation", '{"web": 3, "worker": 1000000, "a b": 1, "x": true}')
    assert two.store.apps.get(SHOP).formation == {ProcessType("web"): 3}
    assert len(told(two)) == 3


def test_text_that_is_no_utf8_costs_no_row(two: Machine) -> None:
    with closing(sqlite3.connect(Home(two.home).database)) as database:
        database.execute("UPDATE releases SET description = CAST(X'61FF' AS TEXT), created_at='x'")
        database.commit()
    live = two.store.releases.current(SHOP)
    assert live is not None
    assert live.description == "a\ufffd"
    assert replace(live, description="") == replace(two.store.releases.get(SHOP, 1), description="")


def test_a_damaged_journal_keeps_nobody_from_starting(two: Machine) -> None:
    two.store.meta.set("all-or-nothing 1", "{")
    start(two)
    assert not two.store.meta.starting_with("all-or-nothing")


def test_what_is_damaged_has_its_words(two: Machine) -> None:
    damage(two, "apps", "settings", "null")
    [said] = two.store.damage()
    assert str(said) == "settings of shop cannot be read: the defaults hold"
    assert said.mend == "apps:set shop KEY=VALUE for each that was set"
