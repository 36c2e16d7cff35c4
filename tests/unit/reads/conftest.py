"""Fixtures of the tests of what is told: a server whose back-ends are in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.commands.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "repositories").mkdir()
    made = Machine(tmp_path)
    yield made
    made.store.close()
