"""Everything that templates/nginx/front/static/ prints of one site."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.names import AppName
from pushdeploy.domain.static.pattern import Pattern
from pushdeploy.domain.static.site_rules import SiteRules
from pushdeploy.route.routers.nginx.quoting import inner, quoted, quoted_pattern
from pushdeploy.route.routers.nginx.static.header_maps import (
    Header,
    content_types,
    headers_of,
)
from pushdeploy.route.routers.nginx.static.map import Map
from pushdeploy.route.routers.nginx.static.redirect_map import redirect_map

DEFAULTS = (
    Header("Cache-Control", "$pushdeploy_cache"),
    Header("Referrer-Policy", '"strict-origin-when-cross-origin"'),
    Header("X-Content-Type-Options", '"nosniff"'),
    Header("X-Frame-Options", '"SAMEORIGIN"'),
)
"""What a site sends unless its ``_headers`` say otherwise: nothing that a page would miss."""

_NOTHING = '""'


@dataclass(frozen=True, slots=True)
class SiteText:
    """All values are as nginx reads them. ``types`` are pairs of a location and a content type.

    ``short_alone``: addresses with .html lead to those without.
    """

    maps: Sequence[Map]
    early: str
    late: str
    headers: Sequence[Header]
    types: Sequence[tuple[str, str]]
    not_found: str
    clean_urls: bool
    short_alone: bool


def site_text(app: AppName, rules: SiteRules, extra: Sequence[Header] = ()) -> SiteText:
    """``extra`` headers are the operator's wish for an app; ``ValueError`` for what nginx could
    not be told.
    """
    prefix = f"pushdeploy_of_{app.replace('-', '_')}"
    early = redirect_map(f"{prefix}_early", rules.stages.early)
    late = redirect_map(f"{prefix}_late", rules.stages.late)
    headers = headers_of(f"{prefix}_h", rules.headers, [*DEFAULTS, *extra])
    not_found = _not_found(f"{prefix}_missing", rules.not_found)
    maps = [each for each in (early, late, not_found) if each is not None]
    return SiteText(
        maps=[*maps, *headers.maps],
        early=early.variable if early else _NOTHING,
        late=late.variable if late else _NOTHING,
        headers=headers.headers,
        types=[(_location(path), quoted(kind)) for path, kind in content_types(rules.headers)],
        not_found=not_found.variable if not_found else _only_page(rules.not_found),
        clean_urls=rules.clean_urls != "off",
        short_alone=rules.clean_urls == "only",
    )


def _not_found(name: str, pages: Sequence[str]) -> Map | None:
    """The nearest page above an address; None where one is for all of them."""
    nested = [page for page in pages if page.count("/") > 1]
    if not nested:
        return None
    entries = [
        (quoted_pattern(f"^{re.escape(page.rpartition('/')[0])}/"), f'"{inner(page)}"')
        for page in nested
    ]
    return Map(name, entries, _only_page(pages))


def _only_page(pages: Sequence[str]) -> str:
    return quoted(next((page for page in pages if page.count("/") == 1), ""))


def _location(path: Pattern) -> str:
    """A location for one address, or for all that match."""
    if path.is_exact:
        return f"= {quoted(path.exact)}"
    return f"~ {quoted_pattern(path.regex()).replace('~', '', 1)}"
