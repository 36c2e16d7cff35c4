"""What hostile pushes are made of, and what comes of them."""

from pathlib import Path

from pushdeploy.receive.service import GitService
from tests.unit.receive.client import files_in
from tests.unit.receive.wire import BLOB_ID, ZERO, commands, push_of_tree, say, tree

FILE = ("100644", b"file", BLOB_ID)
MAIN = "refs/heads/main"
HARMLESS = push_of_tree(tree(FILE))


def refused(service: GitService, repository: Path, data: bytes) -> str:
    """The answer to ``data``, which must be a refusal that changes nothing."""
    before = files_in(repository)
    status, answer = say(service, data)
    assert status == 1, answer
    assert "internal error" not in answer
    assert files_in(repository) == before
    return answer


def with_pack(new: str, data: bytes, ref: str = MAIN) -> bytes:
    return commands((ZERO, new, ref)) + data
