"""A published folder is a part of a slug that visitors get as it is, without a process."""

from collections.abc import Sequence
from dataclasses import dataclass

FORMERS = 3
"""How many former releases' files stay reachable beside those of the live one."""


@dataclass(frozen=True, slots=True)
class PublishedFolder:
    """``path`` is absolute in the slug's image; ``why`` names what chose it, as static.json."""

    path: str
    why: str = ""

    @property
    def shown(self) -> str:
        """The folder as people write it, below the top directory of their repository."""
        inside = self.path.removeprefix("/app").strip("/")
        return f"{inside}/" if inside else "the top directory"


@dataclass(frozen=True, slots=True)
class StaticFolder:
    """The files of a published folder are served at ``at``: ``/``, or a path like ``/static/``.

    ``digest`` names them where published files are kept. ``former`` name those of the releases
    before, the newest first: whoever has an old page open still finds what it refers to.
    """

    at: str
    digest: str
    former: Sequence[str] = ()
