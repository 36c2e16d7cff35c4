"""Small limits, and a repository that holds something already."""

from pathlib import Path

import pytest

from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService
from tests.unit.receive.host import APP
from tests.unit.receive.wire import BLOB_ID, push_of_tree, say, tree


@pytest.fixture
def limits() -> PackLimits:
    return PackLimits(
        pack_bytes=2**20, memory_bytes=2**29, tree_files=150, tree_bytes=2**20, commands=20
    )


@pytest.fixture
def repository(service: GitService, repositories: Repositories) -> Path:
    """One that holds something already."""
    status, answer = say(service, push_of_tree(tree(("100644", b"first", BLOB_ID)), ref="dev"))
    assert status == 0, answer
    return repositories.path(APP)
