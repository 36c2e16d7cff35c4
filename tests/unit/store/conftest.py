"""A real SQLite database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.store import Store
from tests.databases import open_store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'pushdeploy.sqlite3'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(Path(url.removeprefix("sqlite:///")))
    yield opened
    opened.close()
