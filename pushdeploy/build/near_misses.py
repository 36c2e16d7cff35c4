"""A file whose name is nearly one that is read has no effect: it is named."""

import difflib
import re
from collections.abc import Mapping, Sequence

from pushdeploy.build.language import Language
from pushdeploy.build.tree import Tree

_READ = ("Procfile", "app.json")
_OTHERS = frozenset({".profile", "profile"})
"""Names of their own, however near."""

_ALIKE = 0.93
"""One letter that is missing or doubled, of 1: less is a name of its own."""


def files_read(languages: Sequence[Language]) -> Sequence[str]:
    """All names that mean something to a build, whatever language it is of."""
    return sorted({*_READ, *(name for each in languages for name in each.files.read)})


def misspelled(tree: Tree, names: Sequence[str]) -> Sequence[str]:
    """A line for each file of the top directory that seems to be meant for one of ``names``."""
    meant = {_letters(name): name for name in names}
    found = []
    for name in tree.root:
        right = _meant(_letters(name), meant) if name not in _OTHERS else None
        if right and name != right and not tree.has(right) and not name.endswith("/"):
            shown = repr(name) if name != name.strip() else name
            found.append(f"{shown} is not read: is  {right}  meant?")
    return found


def _meant(letters: str, meant: Mapping[str, str]) -> str | None:
    close = difflib.get_close_matches(letters, meant, n=1, cutoff=_ALIKE)
    return meant[close[0]] if close else None


def _letters(name: str) -> str:
    """The same for names that differ in case, blanks, points or hyphens, or by an ending."""
    letters = re.sub(r"[^a-z]", "", name.lower())
    return letters.removesuffix("text").removesuffix("txt").removesuffix("s")
