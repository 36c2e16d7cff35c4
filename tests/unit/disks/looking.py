"""What the tests of snapshots look at."""

from collections.abc import Mapping
from pathlib import Path

from pushdeploy.domain.names import DiskName

APP, DATA = 7, DiskName("data")


def nothing(_line: str) -> None:
    """For those who do not want to know."""


def contents(tree: Path) -> Mapping[str, bytes]:
    return {
        str(path.relative_to(tree)): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
