"""The tutorials and guides do what they print."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.conftest import MakeServer
from tests.stories.harness import Server
from tests.stories.pages import PAGES, try_page

pytestmark = pytest.mark.docker

TUTORIALS = sorted(f"tutorials/{path.name}" for path in (PAGES / "tutorials").glob("*.md"))


@pytest.fixture(scope="module")
def readers(make_server: MakeServer) -> Iterator[Server]:
    """The server of which the pages speak."""
    server = make_server(domain="apps.example.com")
    yield server
    server.close()


@pytest.mark.parametrize("page", ["getting-started.md", "pipelines.md", *TUTORIALS])
def test_a_page_works_as_printed(page: str, readers: Server, tmp_path: Path) -> None:
    try_page(page, readers, tmp_path)
