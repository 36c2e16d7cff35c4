"""The rules of a static site, made once of all files that describe it and kept with its files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pushdeploy.domain.static.headers import HeaderBlock
from pushdeploy.domain.static.pattern import Pattern
from pushdeploy.domain.static.redirects import Redirect
from pushdeploy.domain.static.stages import Stages
from pushdeploy.domain.static.table import Table

CleanUrls = Literal["both", "only", "off"]
FORMAT = 1
"""Another one is of another version of ours, and is made anew."""


@dataclass(frozen=True, slots=True)
class SiteRules:
    """``clean_urls``: ``/about`` shows about.html (``both``), ``/about.html`` leads there as well
    (``only``), or neither (``off``). ``not_found`` are the pages for what is not there, each for
    all below its directory, the nearest of them first.
    """

    stages: Stages = field(default_factory=Stages)
    headers: Sequence[HeaderBlock] = ()
    clean_urls: CleanUrls = "both"
    not_found: Sequence[str] = ()


def rules_json(rules: SiteRules) -> dict[str, Any]:
    """Plain values, from which ``rules_of`` makes the same rules."""
    return {
        "format": FORMAT,
        "early": _table_json(rules.stages.early),
        "late": _table_json(rules.stages.late),
        "headers": [
            [block.path.text, [list(pair) for pair in block.values], list(block.without)]
            for block in rules.headers
        ],
        "clean_urls": rules.clean_urls,
        "not_found": list(rules.not_found),
    }


def rules_of(stored: dict[str, Any]) -> SiteRules:
    """Raise ``ValueError`` for what ``rules_json`` did not write."""
    if stored.get("format") != FORMAT or stored.get("clean_urls") not in {"both", "only", "off"}:
        raise ValueError("rules of another version")
    try:
        blocks = [
            HeaderBlock(Pattern(path), tuple((name, value) for name, value in values), without)
            for path, values, without in stored["headers"]
        ]
        stages = Stages(_table_of(stored["early"]), _table_of(stored["late"]))
        return SiteRules(stages, blocks, stored["clean_urls"], stored["not_found"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"damaged rules: {error}") from error


def _table_json(table: Table) -> dict[str, Any]:
    return {
        "exact": [_rule_json(rule) for rule in table.exact.values()],
        "patterns": [_rule_json(rule) for rule in table.patterns],
    }


def _rule_json(rule: Redirect) -> list[Any]:
    return [rule.source.text, rule.to, rule.status, rule.forced]


def _table_of(stored: dict[str, Any]) -> Table:
    exact = [_rule_of(row) for row in stored["exact"]]
    return Table.of(exact, [_rule_of(row) for row in stored["patterns"]])


def _rule_of(row: list[Any]) -> Redirect:
    source, to, status, forced = row
    return Redirect(Pattern(source), to, status, forced)
