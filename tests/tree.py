"""The files of the package, for the tests that read its code."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pushdeploy"
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def part_of(path: Path) -> str:
    """``engine`` for pushdeploy/engine/docker.py, ``cli`` for pushdeploy/cli.py."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]
