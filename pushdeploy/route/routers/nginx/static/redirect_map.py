"""Redirects become a map from addresses to a status and a target: ``301 /new``.

Whoever has ten thousand rules pays for one look into a table. What a target takes from an address
stays encoded as the visitor sent it, so that nothing in it can end a header; see ``Redirect``.
"""

from urllib.parse import unquote

from pushdeploy.domain.static.redirects import Redirect, encoded
from pushdeploy.domain.static.table import Table, expression
from pushdeploy.route.routers.nginx.quoting import inner, quoted_key, quoted_pattern
from pushdeploy.route.routers.nginx.static.map import Map, part, rest

LONGEST_KEY_BYTES = 400
"""A longer address is compared as a pattern: nginx's tables have no room for it."""


def redirect_map(name: str, table: Table) -> Map | None:
    """Return None for a table without rules."""
    short = [rule for rule in table.exact.values() if not _is_long(rule)]
    long = [rule for rule in table.exact.values() if _is_long(rule)]
    entries = [
        *((quoted_key(rule.source.exact), value(rule)) for rule in short),
        *((quoted_pattern(expression(rule)), value(rule)) for rule in (*long, *table.patterns)),
    ]
    return Map(name, entries) if entries else None


def value(rule: Redirect) -> str:
    """The status and the target of a rule as one value of nginx."""
    target = _address(rule) if rule.moves else _file(rule)
    return f'"{rule.status} {target}"'


def _address(rule: Redirect) -> str:
    """The query of the visitor goes along, unless the target has one."""
    splat = len(rule.source.parts) if rule.source.ends_in_splat else 0
    found = []
    for piece in rule.pieces:
        if isinstance(piece, str):
            found.append(inner(encoded(piece)))
        else:
            found.append(rest(piece) if piece == splat else part(piece))
    target = "".join(found)
    if "?" in rule.to.partition("#")[0]:
        return target
    before, hash_sign, fragment = target.partition("#")
    return f"{before}${{is_args}}${{args}}{hash_sign}{fragment}"


def _file(rule: Redirect) -> str:
    """The path of a file of the site, with what the source's groups have matched."""
    groups = {place: group for group, place in enumerate(rule.source.names.values(), 1)}
    pieces = [
        inner(unquote(piece)) if isinstance(piece, str) else f"${groups[piece]}"
        for piece in _path_pieces(rule)
    ]
    return "".join(pieces)


def _path_pieces(rule: Redirect) -> list[str | int]:
    """The pieces of the target up to its query."""
    found: list[str | int] = []
    for piece in rule.pieces:
        if isinstance(piece, int):
            found.append(piece)
            continue
        path = piece.partition("?")[0].partition("#")[0]
        found.append(path)
        if path != piece:
            break
    return found


def _is_long(rule: Redirect) -> bool:
    return len(rule.source.exact.encode()) > LONGEST_KEY_BYTES
