"""Fixtures of the flow's tests: a server whose scheduler, router and engine are in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.output import Output
from tests.unit.commands.machine import ADA, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "repositories").mkdir()
    made = Machine(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def told() -> list[str]:
    """The lines that the asker reads."""
    return []


@pytest.fixture
def asker(told: list[str]) -> Asker:
    return Asker(ADA, Output(told.append), Cancellation())
