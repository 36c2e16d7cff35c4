"""Which language builds a source: exactly one answers, or the error says what was looked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.build import languages
from pushdeploy.build.below import one_level_down
from pushdeploy.build.near_misses import misspelled
from pushdeploy.build.plan import Language
from pushdeploy.build.tree import Tree
from pushdeploy.discover import discover
from pushdeploy.domain.errors import BuildFailed, PushdeployError

_MOST_NAMES = 20

FALLBACK = "null"
"""Detects nearly everything, so it is not worth telling that it was passed over."""


@dataclass(frozen=True, slots=True)
class Choice:
    """``found`` is what decided it; ``passed_over`` would have built the source too."""

    language: Language
    found: str
    passed_over: Sequence[Language]

    def __str__(self) -> str:
        text = f"{self.language.name} app: found {self.found}"
        if not self.passed_over:
            return text
        others = ", ".join(one.name for one in self.passed_over)
        return f"{text} (which goes before {others})"


def load_languages() -> Sequence[Language]:
    """Every language of the package, in their order."""
    found = discover(languages, "LANGUAGE")
    known = []
    for module, candidate in found.items():
        if not isinstance(candidate, Language):
            raise PushdeployError(f"LANGUAGE of languages/{module} is no Language")
        known.append(candidate)
    return sorted(known, key=lambda each: each.order)


def choose(languages: Sequence[Language], tree: Tree) -> Choice:
    """``BuildFailed`` with what was looked for and what was found when none answers."""
    able = [(each, found) for each in languages if (found := each.detect(tree))]
    if not able:
        raise _none_answers(languages, tree)
    chosen, found = able[0]
    return Choice(chosen, found, [each for each, _found in able[1:] if each.name != FALLBACK])


def _none_answers(languages: Sequence[Language], tree: Tree) -> BuildFailed:
    names = tree.root
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    found = f"found: {', '.join(names[:_MOST_NAMES]) or 'nothing'}{more}"
    looked = [f"{each.name}: wants {each.wants}" for each in languages]
    unknown, below = "no builder knows what this app is", one_level_down(tree)
    if below is None:
        return BuildFailed(
            unknown,
            "add one of these files to the top directory, commit and push; a Dockerfile does for"
            " every language",
            details=[*looked, found, *misspelled(tree)],
        )
    return BuildFailed(
        f"{unknown}: its top directory does not say it, but {below.directory}/ has"
        f" {', '.join(below.names)}",
        f"push that directory as the top one:  {below.push}",
        details=[*looked, found, *below.others, f"or move what is in it:  {below.move}"],
    )
