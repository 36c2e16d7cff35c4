"""Headers of a site become a map for each name: from the address to the value.

Several blocks may match one address. Blocks that could meet are put into layers, a map each, whose
values are joined; blocks that cannot meet share a layer. So a hundred directories with headers of
their own cost one map, and nginx finds no more than it is asked for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.static.headers import HeaderBlock
from pushdeploy.domain.static.pattern import SPLAT, Pattern
from pushdeploy.domain.static.table import lower
from pushdeploy.route.routers.nginx.quoting import inner, quoted_key, quoted_pattern
from pushdeploy.route.routers.nginx.static.map import Map, part, rest
from pushdeploy.route.routers.nginx.static.redirect_map import LONGEST_KEY_BYTES

CONTENT_TYPE = "content-type"
"""nginx makes this one of the file's name, and a map cannot say otherwise."""


@dataclass(frozen=True, slots=True)
class Header:
    """``value`` is as nginx reads it; an empty one is no header."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Headers:
    """``maps`` make the values that are not the same for every address."""

    headers: Sequence[Header]
    maps: Sequence[Map]


def headers_of(prefix: str, blocks: Sequence[HeaderBlock], defaults: Sequence[Header]) -> Headers:
    """The headers that answers get: ``defaults``, unless a block says otherwise.

    ``prefix`` begins the names of all variables.
    """
    names: dict[str, str] = {default.name.lower(): default.name for default in defaults}
    for block in blocks:
        for name, _ in block.values:
            names.setdefault(name.lower(), name)
    usual = {default.name.lower(): default.value for default in defaults}
    headers: list[Header] = []
    maps: list[Map] = []
    for number, (low, name) in enumerate(sorted(names.items())):
        if low == CONTENT_TYPE:
            continue
        setting, without = _said(low, blocks)
        found = _header(f"{prefix}_{number}", setting, without, usual.get(low, '""'))
        headers.append(Header(name, found[0]))
        maps += found[1]
    return Headers(headers, maps)


def content_types(blocks: Sequence[HeaderBlock]) -> Sequence[tuple[Pattern, str]]:
    """The paths whose files are of another type than their names say, the last word first."""
    return [
        (block.path, value)
        for block in reversed(blocks)
        for name, value in block.values[-1:]
        if name.lower() == CONTENT_TYPE
    ]


@dataclass(frozen=True, slots=True)
class _Setting:
    """An expression that matches where a block counts, or its one address."""

    path: Pattern
    expression: str
    value: str

    @property
    def key(self) -> str:
        if self.path.is_exact and len(self.path.exact.encode()) <= LONGEST_KEY_BYTES:
            return quoted_key(self.path.exact)
        return quoted_pattern(self.expression)


def _said(name: str, blocks: Sequence[HeaderBlock]) -> tuple[Sequence[_Setting], Sequence[str]]:
    """Who sets a name where nobody behind takes it away, and the expressions of those who do."""
    found: list[_Setting] = []
    without: list[str] = []
    for block in reversed(blocks):
        values = [value for other, value in block.values if other.lower() == name]
        if values and not _is_taken_away(block.path, without):
            gates = "".join(f"(?!{gate[1:]})" for gate in without)
            expression = f"^{gates}{block.path.regex()[1:]}"
            found.append(_Setting(block.path, expression, _filled(block.path, values)))
        if any(other.lower() == name for other in block.without):
            without.append(block.path.regex())
    return found[::-1], without


def _is_taken_away(path: Pattern, without: Sequence[str]) -> bool:
    """An exact address is known by now; for a pattern nginx looks."""
    return path.is_exact and any(re.match(gate, path.exact) for gate in without)


def _filled(path: Pattern, values: Sequence[str]) -> str:
    """The values of one block, with what they take from the address."""
    text = ", ".join(values)
    found, end = [], 0
    for match in re.finditer(r":([A-Za-z_][A-Za-z0-9_]*)", text):
        place = path.names.get(match[1])
        if place is not None:
            found += [inner(text[end : match.start()])]
            found += [rest(place) if match[1] == SPLAT else part(place)]
            end = match.end()
    return "".join([*found, inner(text[end:])])


def _header(
    prefix: str, setting: Sequence[_Setting], without: Sequence[str], usual: str
) -> tuple[str, Sequence[Map]]:
    """The value of one name, and the maps that it needs."""
    if not setting and not without:
        return usual, []
    gone = [(quoted_pattern(gate), '""') for gate in without] if usual != '""' else []
    layers = _layers(setting)
    if len(layers) < 2:
        entries = [(each.key, f'"{each.value}"') for layer in layers for each in layer]
        return f"${prefix}", [Map(prefix, [*entries, *gone], usual)]
    maps = [
        Map(f"{prefix}_{number}", [(each.key, f'"{each.value}, "') for each in layer])
        for number, layer in enumerate(layers)
    ]
    fallback = Map(f"{prefix}_usual", gone, usual)
    joined = Map(
        prefix,
        [('""', fallback.variable if gone else usual), ('"~^(.*), $"', '"$1"')],
        source=f'"{"".join(each.variable for each in maps)}"',
    )
    return f"${prefix}", [*maps, *([fallback] if gone else []), joined]


def _layers(setting: Sequence[_Setting]) -> Sequence[Sequence[_Setting]]:
    """In each layer no two can match one address; one above another comes behind it."""
    layers: list[list[_Setting]] = []
    exact: dict[str, tuple[str, int]] = {}
    patterns: list[tuple[_Setting, int]] = []
    for each in setting:
        meeting = (height for other, height in patterns if _may_meet(each, other))
        height = 1 + max(meeting, default=-1)
        if each.path.is_exact:
            same = exact.get(lower(each.path.exact), ("", -1))
            height = max(height, 1 + same[1])
            exact[lower(each.path.exact)] = (each.path.exact, height)
        else:
            under = [h for path, h in exact.values() if re.match(each.path.regex(), path)]
            height = max(height, 1 + max(under, default=-1))
            patterns.append((each, height))
        while len(layers) <= height:
            layers.append([])
        layers[height].append(each)
    return layers


def _may_meet(one: _Setting, pattern: _Setting) -> bool:
    """Whether an address can match both, as far as their beginnings tell."""
    if one.path.is_exact:
        return re.match(pattern.path.regex(), one.path.exact) is not None
    first, second = one.path.literal_prefix, pattern.path.literal_prefix
    return first.startswith(second) or second.startswith(first)
