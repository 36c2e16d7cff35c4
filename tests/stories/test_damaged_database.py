"""Rows of one app are damaged: it serves on, and its owner is told what to type."""

import sqlite3
from contextlib import closing

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server
from tests.stories.test_damaged_repository import doctor

pytestmark = pytest.mark.docker


def damage(server: Server, statement: str, app: str) -> None:
    with closing(sqlite3.connect(server.home / "pushdeploy.sqlite3")) as database:
        assert database.execute(statement, [app]).rowcount == 1
        database.commit()


def test_an_app_whose_rows_are_damaged_serves_on_and_can_be_mended(
    mortal: Server, repo: MakeRepository
) -> None:
    hello, other = repo("hello", on=mortal), repo("hello", on=mortal)
    hello.push(check=True)
    other.push(check=True)
    mortal.kill()
    damage(
        mortal, 'UPDATE apps SET settings = \'{"drain_seconds": "x"}\' WHERE name = ?', hello.app
    )
    damage(
        mortal,
        "UPDATE slugs SET process_types = '{\"web\": ' WHERE id = (SELECT slug_id FROM releases"
        " JOIN apps ON apps.id = app_id WHERE name = ?)",
        hello.app,
    )

    mortal.start()

    for each in (hello, other):
        assert mortal.get(each.app).body == "hello from version 1\n"
    named = f"settings.drain of {hello.app} cannot be read: the default holds"
    assert f"{named}; apps:set {hello.app} drain=" in mortal.log()
    told = doctor(mortal)
    assert named in told
    assert f"process_types of v1 of {hello.app} cannot be read" in told

    mortal.ssh(f"apps:set {hello.app} drain=", check=True)
    mortal.ssh(f"ps:rebuild {hello.app}", check=True)

    assert mortal.get(hello.app).body == "hello from version 1\n"
    assert f"of {hello.app} cannot be read" not in doctor(mortal)
