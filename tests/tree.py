"""The files of the package, for the tests that read its code; each is read and parsed once."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pushdeploy"
FILES = sorted(PACKAGE.rglob("*.py"))


@functools.cache
def text_of(path: Path) -> str:
    return path.read_text()


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def part_of(path: Path) -> str:
    """``engine`` for pushdeploy/engine/docker.py, ``cli`` for pushdeploy/cli.py."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]
