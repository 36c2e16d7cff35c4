"""The first language that knows a source builds it, and others may join; or an error says why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pushdeploy.build.decided_build import Part
from pushdeploy.build.language import Circumstances, Language, Plan
from pushdeploy.build.near_misses import files_read, misspelled
from pushdeploy.build.nested_app import one_level_down
from pushdeploy.build.plan import LayeredPlan
from pushdeploy.build.publishing import passed_over, publishing, wish_of
from pushdeploy.build.stack_order import StackOrder
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

_MOST_NAMES = 20

FALLBACK = "null"
"""Detects nearly everything, so it is not worth telling that it was passed over."""


@dataclass(frozen=True, slots=True)
class Choice:
    """``found`` is what decided it; ``joining`` build a part of the source, too, and
    ``passed_over`` would have built it."""

    language: Language
    found: str
    joining: Sequence[Language]
    passed_over: Sequence[Language]

    def __str__(self) -> str:
        text = f"{self.language.name} app: found {self.found}"
        if self.joining:
            text += f", with {', '.join(one.name for one in self.joining)}"
        if not self.passed_over:
            return text
        others = ", ".join(one.name for one in self.passed_over)
        return f"{text} (which goes before {others})"


def choose(languages: Sequence[Language], tree: Tree) -> Choice:
    """Raise ``BuildFailed`` with what was looked for and what was found when none answers."""
    able = [(each, found) for each in languages if (found := each.detect(tree))]
    if not able:
        raise _none_answers(languages, tree)
    chosen, found = able[0]
    others = [each for each, _found in able[1:] if each.name != FALLBACK]
    joining = [each for each in others if each.joins]
    return Choice(chosen, found, joining, [each for each in others if not each.joins])


def parts_of(choice: Choice, tree: Tree, circumstances: Circumstances) -> Sequence[Part]:
    """Return the languages' plans, the main one last: those that join get along with its stack."""
    main = Part(choice.language, _main_plan(choice.language, tree, circumstances))
    if not isinstance(main.plan, LayeredPlan):
        return [main]
    stack = main.plan.stack
    settled = replace(
        circumstances, stacks=StackOrder((stack,), frozenset({stack}), stack), learned=""
    )
    return [*(Part(each, each.plan(tree, settled)) for each in choice.joining), main]


def _main_plan(language: Language, tree: Tree, circumstances: Circumstances) -> Plan:
    """It publishes a folder where the app says so, whatever the language."""
    plan = language.plan(tree, circumstances)
    if not isinstance(plan, LayeredPlan) or plan.publishes is not None:
        return plan
    wish = wish_of(tree, circumstances.app)
    if wish is not None:
        return publishing(plan, wish, tree)
    return replace(plan, notices=[*plan.notices, *passed_over(tree, circumstances.app)])


def _none_answers(languages: Sequence[Language], tree: Tree) -> BuildFailed:
    names = tree.root
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    found = f"found: {', '.join(names[:_MOST_NAMES]) or 'nothing'}{more}"
    looked = [f"{each.name}: wants {each.wants}" for each in languages]
    unknown, below = "no builder knows what this app is", one_level_down(tree, languages)
    if below is None:
        return BuildFailed(
            unknown,
            "add one of these files to the top directory, commit and push; a Dockerfile does for"
            " every language",
            details=[*looked, found, *misspelled(tree, files_read(languages))],
        )
    return BuildFailed(
        f"{unknown}: its top directory does not say it, but {below.directory}/ has"
        f" {', '.join(below.names)}",
        f"push that directory as the top one:  {below.push}",
        details=[*looked, found, *below.others, f"or move the files in it:  {below.move}"],
    )
