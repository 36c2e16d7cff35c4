"""A published folder is a part of a slug that visitors get as it is, without a process."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from posixpath import normpath

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.static.site_rules import SiteRules

FORMERS = 3
"""How many former releases' files stay reachable beside those of the live one."""


HOME = "/app"
"""Where the source lies in a slug."""

BY_SETTING = "apps:set static"
"""Why a folder is published that a person has named."""

_AT = re.compile(r"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)+")
_MOST_FOLDERS = 20
_EXAMPLE = "write it like  static=/static/=staticfiles,/media/=public/media"


@dataclass(frozen=True, slots=True)
class PublishedFolder:
    """``path`` is absolute in the slug's image; ``why`` names what chose it, as static.json.

    ``described`` is what that file says of how the folder is served: domain/static/description.py.
    """

    path: str
    why: str = ""
    described: str = ""

    def __str__(self) -> str:
        return f"{self.shown} ({self.why})" if self.why else self.shown

    @property
    def shown(self) -> str:
        """The folder as people write it, below the top directory of their repository."""
        if f"{self.path}/".startswith(f"{HOME}/"):
            inside = self.path.removeprefix(HOME).strip("/")
            return f"{inside}/" if inside else "the top directory"
        return f"{self.path}/"


@dataclass(frozen=True, slots=True)
class StaticFolder:
    """The files of a published folder are served at ``at``: ``/``, or a path like ``/static/``.

    ``digest`` names them where published files are kept. ``former`` name those of the releases
    before, the newest first: whoever has an old page open still finds what it refers to. ``rules``
    are for a folder at ``/`` alone.
    """

    at: str
    digest: str
    former: Sequence[str] = ()
    rules: SiteRules = field(default_factory=SiteRules)


def parse_folders(text: str) -> Sequence[str]:
    """Read ``/static/=staticfiles,/media/=/srv/media``; ``UserError`` for anything else."""
    found = dict(_parse_folder(each.strip()) for each in text.split(",") if each.strip())
    words = [each for each in text.split(",") if each.strip()]
    if len(found) != len(words):
        raise UserError("two folders are to be served at one path", _EXAMPLE)
    if len(found) > _MOST_FOLDERS:
        raise UserError(f"{len(found)} folders are too many", f"{_MOST_FOLDERS} are possible")
    return tuple(f"{at}={folder}" for at, folder in sorted(found.items()))


def folder_of(word: str) -> tuple[str, PublishedFolder]:
    """The path of visitors and the folder of one that ``parse_folders`` has read."""
    at, _, folder = word.partition("=")
    path = folder if folder.startswith("/") else f"{HOME}/{folder}"
    return at, PublishedFolder(path, BY_SETTING)


def _parse_folder(word: str) -> tuple[str, str]:
    at, found, folder = word.partition("=")
    at = f"{at.rstrip('/')}/"
    if not found or not _AT.fullmatch(at) or not folder.strip("/."):
        raise UserError(f"{word[:80]!r} is no path with a folder", _EXAMPLE)
    path = normpath(folder)
    if path.startswith("..") or not path.isprintable():
        raise UserError(f"{folder[:80]!r} is outside of the app", _EXAMPLE)
    return at, path
