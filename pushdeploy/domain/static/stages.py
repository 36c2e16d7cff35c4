"""A rule is asked before there is looked for a file, or where there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pushdeploy.domain.static.files import SiteFiles
from pushdeploy.domain.static.problems import Problem
from pushdeploy.domain.static.redirects import Redirect
from pushdeploy.domain.static.table import Table, make_table


@dataclass(frozen=True, slots=True)
class Stages:
    """``idle`` tells of the rules that never apply; they are in neither table."""

    early: Table = field(default_factory=Table)
    late: Table = field(default_factory=Table)
    idle: Sequence[Problem] = ()

    def find(self, path: str, files: SiteFiles) -> Redirect | None:
        """The rule that applies to an address, None where a file does or nothing."""
        found = self.early.find(path)
        if found is None and not files.has(path):
            found = self.late.find(path)
        return found


def staged(rules: Sequence[Redirect], files: SiteFiles) -> Stages:
    """The first rule that applies counts, in whichever stage it is asked.

    Which addresses are files is known by now. So an exact rule either never applies, or may be
    asked early where a forced pattern behind it would else take its place.
    """
    hidden = [rule for rule in rules if _is_hidden(rule, files)]
    living = [rule for rule in rules if not _is_hidden(rule, files)]
    patterns = [place for place, rule in enumerate(living) if _is_forced_pattern(rule)]
    last = max(patterns, default=-1)
    early = make_table(
        [r for place, r in enumerate(living) if r.forced or (place < last and r.source.is_exact)]
    )
    late = make_table(
        [
            r
            for place, r in enumerate(living)
            if not r.forced and not (place < last and r.source.is_exact)
        ]
    )
    shadowed = {**early.shadowed, **late.shadowed}
    idle = [*map(_told_hidden, hidden), *(_told_shadowed(*pair) for pair in shadowed.items())]
    return Stages(early.table, late.table, sorted(idle, key=lambda told: told.line))


def _is_forced_pattern(rule: Redirect) -> bool:
    return rule.forced and not rule.source.is_exact


def _is_hidden(rule: Redirect, files: SiteFiles) -> bool:
    return rule.source.is_exact and not rule.forced and files.has(rule.source.text)


def _told_hidden(rule: Redirect) -> Problem:
    return Problem(
        rule.file,
        rule.line,
        f"the rule never applies, for {rule.source.text} is a file of the site",
        f"write {rule.status}! to let the rule go first",
    )


def _told_shadowed(rule: Redirect, other: Redirect) -> Problem:
    return Problem(
        rule.file,
        rule.line,
        f"the rule never applies, for {other.place} does before it ({other.source.text})",
        "move it up, or remove it",
    )
