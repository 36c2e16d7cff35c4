"""One kind of writer at a time has the disks of an app."""

import pytest

from pushdeploy.domain.errors import Busy
from pushdeploy.domain.names import AppName
from pushdeploy.locks.writers import Writers

SHOP = AppName("shop")
BLOG = AppName("blog")


def test_one_off_commands_write_side_by_side() -> None:
    writers = Writers()
    with (
        writers.writing(SHOP, "run.1", "ada"),
        writers.writing(SHOP, "run.2", "bob"),
    ):
        pass


def test_who_wants_to_write_alone_is_told_who_writes() -> None:
    writers = Writers()
    with (
        writers.writing(SHOP, "run.1", "ada"),
        pytest.raises(Busy, match=r"run\.1 of ada") as refused,
        writers.alone(SHOP, "release v2"),
    ):
        pass
    assert "ps:stop shop run.1" in refused.value.hint
    with writers.alone(SHOP, "release v2"):
        pass


def test_nobody_begins_to_write_beside_who_writes_alone() -> None:
    writers = Writers()
    with writers.alone(SHOP, "release v2"):
        with (
            pytest.raises(Busy, match="release v2"),
            writers.writing(SHOP, "run.1", "ada"),
        ):
            pass
        with writers.writing(BLOG, "run.1", "ada"):
            pass
    with writers.writing(SHOP, "run.1", "ada"):
        pass
