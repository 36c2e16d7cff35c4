"""Finds hooks/ and templates/: the operator's own first, then what ships with the package."""

from collections.abc import Sequence
from pathlib import Path

from pushdeploy.domain.errors import PushdeployError

_PACKAGE = Path(__file__).resolve().parent


def shipped(kind: str) -> Path:
    """Return the directory of ``kind``: inside the package, else beside it (a checkout)."""
    for place in (_PACKAGE / kind, _PACKAGE.parent / kind):
        if place.is_dir():
            return place
    raise PushdeployError(f"the installation has no {kind}/", "install pushdeploy again")


def search_path(kind: str, home: Path | None) -> Sequence[Path]:
    """List the directories to look in, first wins: ``<home>/<kind>``, then the shipped one."""
    return [*([home / kind] if home else []), shipped(kind)]


def find(kind: str, name: str, home: Path | None) -> Path | None:
    """Return the first file called ``name``, or None."""
    for directory in search_path(kind, home):
        if (directory / name).is_file():
            return directory / name
    return None
