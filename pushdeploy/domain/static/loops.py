"""Rules that would send visitors in a circle are found before anybody walks in it."""

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from pushdeploy.domain.static.files import SiteFiles
from pushdeploy.domain.static.problems import Problem
from pushdeploy.domain.static.redirects import Redirect
from pushdeploy.domain.static.stages import Stages

_MOST_MOVES = 20
"""As many as browsers follow."""

_REMEDY = "let the last of them lead to a page that is there"
_SAMPLE = "x"


def loops(rules: Sequence[Redirect], stages: Stages, files: SiteFiles) -> Iterator[Problem]:
    """A problem for each rule whose visitors come back to where they were, or never arrive."""
    known: set[str] = set()
    for rule in rules:
        if rule.moves and rule.to.startswith("/"):
            trail = _trail(rule, stages, files, known)
            if trail:
                way = " → ".join(trail[:4]) + (" → …" if len(trail) > 4 else "")
                yield Problem(rule.file, rule.line, f"the rule leads in a circle: {way}", _REMEDY)


def _trail(rule: Redirect, stages: Stages, files: SiteFiles, known: set[str]) -> Sequence[str]:
    """The way of a visitor who never arrives; nothing for one who does, whose way is then known."""
    path = _example(rule)
    trail = [path]
    while len(trail) <= _MOST_MOVES:
        if path in known:
            return []
        found = stages.find(path, files)
        if found is None or not found.moves or not found.to.startswith("/"):
            known.update(trail)
            return []
        path = unquote(_moved(found, path))
        if path in trail:
            return [*trail, path]
        trail.append(path)
    return trail


def _example(rule: Redirect) -> str:
    """An address that the rule is for."""
    parts = [
        f"{_SAMPLE}{place}" if part.startswith(":") or part == "*" else part
        for place, part in enumerate(rule.source.parts)
    ]
    return "/" + "/".join(parts)


def _moved(rule: Redirect, path: str) -> str:
    """Where a rule sends the visitors of a path, without query and fragment."""
    return destination(rule, path).partition("#")[0].partition("?")[0]


def destination(rule: Redirect, path: str) -> str:
    """The target of a rule for an address: with what the source takes from it."""
    parts = path.split("/")[1:]
    splat = len(rule.source.parts) if rule.source.ends_in_splat else 0
    return "".join(
        piece
        if isinstance(piece, str)
        else "/".join(parts[piece - 1 :])
        if piece == splat
        else "".join(parts[piece - 1 : piece])
        for piece in rule.pieces
    )
