"""A table finds the rule of an address as nginx does: exact addresses first, then patterns in turn.

Both orders agree, for an exact address that a pattern before it matches has no place in the table.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pushdeploy.domain.static.pattern import stem
from pushdeploy.domain.static.redirects import Redirect

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Table:
    """``exact`` has its addresses in small letters: nginx compares them without regard to case.

    Where the case matters, the address stands among the ``patterns``.
    """

    exact: Mapping[str, Redirect] = field(default_factory=dict)
    patterns: Sequence[Redirect] = ()

    @classmethod
    def of(cls, exact: Sequence[Redirect], patterns: Sequence[Redirect]) -> "Table":
        """``exact`` are rules for one address each, whose case does not matter."""
        return cls({lower(rule.source.exact): rule for rule in exact}, patterns)

    def find(self, path: str) -> Redirect | None:
        """The rule that applies to a decoded address, None where none does."""
        short = stem(path)
        found = self.exact.get(lower(short))
        return found or self.first_pattern(short, len(self.patterns))

    def first_pattern(self, short: str, most: int) -> Redirect | None:
        """The first pattern that matches, if it is among the ``most`` first of all."""
        for place, prefix, compiled in self._compiled:
            if place >= most:
                return None
            if short.startswith(prefix) and compiled.match(short):
                return self.patterns[place]
        return None

    @cached_property
    def _compiled(self) -> Sequence[tuple[int, str, re.Pattern[str]]]:
        return [
            (place, rule.source.literal_prefix, re.compile(expression(rule)))
            for place, rule in enumerate(self.patterns)
        ]


@dataclass(frozen=True, slots=True)
class Made:
    """``shadowed`` maps rules that never apply to the ones before them that do."""

    table: Table
    shadowed: Mapping[Redirect, Redirect]


def make_table(rules: Sequence[Redirect]) -> Made:
    """Put rules into a table; the first of several for one address counts."""
    bound = _bound_to_case(rules)
    patterns = [rule for rule in rules if not rule.source.is_exact or rule.source.exact in bound]
    places = {id(rule): place for place, rule in enumerate(rules)}
    order = [places[id(rule)] for rule in patterns]
    all_patterns = Table({}, patterns)
    exact: dict[str, Redirect] = {}
    shadowed: dict[Redirect, Redirect] = {}
    before = 0
    for place, rule in enumerate(rules):
        while before < len(order) and order[before] < place:
            before += 1
        if not rule.source.is_exact:
            continue
        key = rule.source.exact
        other = (exact.get(lower(key)) if key not in bound else None) or all_patterns.first_pattern(
            key, before
        )
        if other is not None:
            shadowed[rule] = other
        elif key not in bound:
            exact[lower(key)] = rule
    return Made(Table(exact, patterns), shadowed)


def expression(rule: Redirect) -> str:
    """Return what an address must look like for a rule that is a pattern."""
    return rule.source.regex(pages_alone=rule.pages_alone)


def lower(text: str) -> str:
    """Small letters as nginx makes them: of ASCII alone."""
    return text.translate(_LOWER)


def _bound_to_case(rules: Sequence[Redirect]) -> set[str]:
    """The exact addresses that differ from another one, or from where they lead, in case alone."""
    seen: dict[str, str] = {}
    bound = set()
    for rule in rules:
        if rule.source.is_exact:
            key = rule.source.exact
            first = seen.setdefault(lower(key), key)
            if first != key:
                bound |= {first, key}
            if lower(stem(rule.to_path)) == lower(key) and rule.to_path != key:
                bound.add(key)
    return bound
