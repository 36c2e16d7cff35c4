"""A real SQLite database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'pushdeploy.sqlite3'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()
