"""Finds hooks/ and templates/: the operator's own first, then what ships with the package."""

from collections.abc import Sequence
from pathlib import Path

from pushdeploy.domain.errors import PushdeployError

_PACKAGE = Path(__file__).resolve().parent


def shipped(kind: str) -> Path:
    """The directory ``hooks`` or ``templates``: inside the package, else beside it (a checkout)."""
    for place in (_PACKAGE / kind, _PACKAGE.parent / kind):
        if place.is_dir():
            return place
    raise PushdeployError(f"the installation has no {kind}/", "install pushdeploy again")


def search_path(kind: str, home: Path | None) -> Sequence[Path]:
    """Where to look, first wins: ``<home>/<kind>``, then what ships."""
    return [*([home / kind] if home else []), shipped(kind)]


def find(kind: str, name: str, home: Path | None) -> Path | None:
    """The first file called ``name``, or None."""
    for directory in search_path(kind, home):
        if (directory / name).is_file():
            return directory / name
    return None
