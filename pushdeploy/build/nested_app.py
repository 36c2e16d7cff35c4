"""An app in a directory of its repository is found, where no builder looks, to say what to do."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.build.language import Language
from pushdeploy.build.tree import Tree


@dataclass(frozen=True, slots=True)
class NestedApp:
    """``names`` are the telling files in ``directory``; ``others``: where else there are some."""

    directory: str
    names: Sequence[str]
    others: Sequence[str]

    @property
    def push(self) -> str:
        """What makes the directory the top one of what is pushed, and leaves the repository."""
        prefix = shlex.quote(self.directory)
        return f"git push deploy $(git subtree split --prefix {prefix}):refs/heads/main"

    @property
    def move(self) -> str:
        """All that git has there; then it is to be committed and pushed."""
        where = shlex.quote(self.directory)
        return f"git ls-tree -z --name-only HEAD:{where} | xargs -0 -I{{}} git mv {where}/{{}} ."


def one_level_down(tree: Tree, languages: Sequence[Language]) -> NestedApp | None:
    """The directory of the top one that has the most telling file; None where none has any."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for each in languages for name in each.files.telling):
        for path in sorted(tree.paths):
            directory, _, last = path.rpartition("/")
            if last == name and directory and "/" not in directory:
                found.setdefault(directory, []).append(name)
    if not found:
        return None
    directory, *rest = found
    others = [f"{other}/ has {', '.join(found[other])}" for other in rest]
    return NestedApp(directory, found[directory], others)
