"""The rules of a site are decided from its files, its ``_redirects`` and ``_headers``, and what
describes it.

One question has no answer that is right for everybody: what is shown for an address without a
file? A 404.html says that such addresses are not there; a 200.html, or a rule for ``/*``, says that
a program in the browser knows them. Whichever it is, a missing file is never a page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pushdeploy.domain.static.description import Description
from pushdeploy.domain.static.files import SiteFiles
from pushdeploy.domain.static.headers import HeaderBlock, parse_headers, refuse_many
from pushdeploy.domain.static.loops import loops
from pushdeploy.domain.static.pattern import Pattern
from pushdeploy.domain.static.problems import Problem, Wrong
from pushdeploy.domain.static.redirects import SERVED, Redirect, parse_redirects
from pushdeploy.domain.static.site_rules import CleanUrls, SiteRules
from pushdeploy.domain.static.stages import staged

_NOT_FOUND = "404.html"
_FALLBACK = "200.html"
_MOST_NOT_FOUND = 100
_EVERYTHING = Pattern("/*")


@dataclass(frozen=True, slots=True)
class Texts:
    """The two files of rules as they lie in the folder; empty where there is none."""

    redirects: str = ""
    headers: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """``lines`` tell a push what was decided and why, ``notices`` what may be a surprise."""

    rules: SiteRules
    problems: Sequence[Problem]
    notices: Sequence[Problem]
    lines: Sequence[str]


def decide(paths: Sequence[str], texts: Texts, described: Description) -> Decided:
    """``paths`` are those of all files that visitors may have, relative to the folder."""
    files = SiteFiles(frozenset(paths), described.clean_urls is not False)
    redirects, headers = parse_redirects(texts.redirects), parse_headers(texts.headers)
    written = [*redirects.rules, *described.redirects]
    fallback, why = _fallback(files, written, described)
    rules = [*written, *fallback]
    stages = staged(rules, files)
    blocks = [*headers.blocks, *described.headers]
    problems = [
        *redirects.problems,
        *headers.problems,
        *_too_many_blocks(blocks, described),
        *_missing_pages(rules, described, files),
        *loops(rules, stages, files),
    ]
    notices = [*redirects.notices, *headers.notices, *stages.idle]
    pages = _not_found(files, described)
    site = SiteRules(stages, blocks, _clean_urls(described), pages)
    return Decided(site, problems, notices, [why, *_counted(written, blocks)])


def _fallback(
    files: SiteFiles, written: Sequence[Redirect], described: Description
) -> tuple[Sequence[Redirect], str]:
    """The rule for addresses without a file, and a sentence that says where it comes from."""
    said = next((rule for rule in written if _is_for_all(rule)), None)
    if said is not None:
        return (), f"an address without a file shows {said.to_path}: {said.place} says so"
    page = f"/{_FALLBACK}" if _FALLBACK in files.paths else "/index.html"
    if described.spa:
        return _everything(page, described.file), _shows(page, f"{described.file} says spa")
    error_page = _error_page(described)
    if described.spa is False or error_page in files.paths:
        shown = f", with {error_page}" if error_page in files.paths else ""
        return (), f"an address without a file is not found: 404{shown}"
    if _FALLBACK in files.paths:
        return _everything(page, _FALLBACK), _shows(page, "the site has one, and no 404.html")
    return (), (
        "an address without a file is not found: 404; where a program in the browser knows them,"
        ' write "/* /index.html 200" into _redirects'
    )


def _shows(page: str, why: str) -> str:
    return f"an address without a file shows {page}: {why}"


def _everything(page: str, file: str) -> Sequence[Redirect]:
    return (Redirect(_EVERYTHING, page, SERVED, file=file),)


def _is_for_all(rule: Redirect) -> bool:
    return rule.pages_alone and rule.source == _EVERYTHING


def _clean_urls(described: Description) -> CleanUrls:
    if described.clean_urls is None:
        return "both"
    return "only" if described.clean_urls else "off"


def _error_page(described: Description) -> str:
    return described.error_page.strip("/") or _NOT_FOUND


def _not_found(files: SiteFiles, described: Description) -> Sequence[str]:
    """That of the whole site comes last; directories may have their own."""
    own = [path for path in files.paths if path.endswith(f"/{_NOT_FOUND}")]
    nested = sorted(own, key=lambda path: (-path.count("/"), path))[:_MOST_NOT_FOUND]
    page = _error_page(described)
    return [*(f"/{path}" for path in nested), *([f"/{page}"] if page in files.paths else [])]


def _too_many_blocks(blocks: Sequence[HeaderBlock], described: Description) -> Iterator[Problem]:
    if described.headers:
        try:
            refuse_many(blocks)
        except Wrong as wrong:
            yield wrong.at(described.file, 0)


def _missing_pages(
    rules: Sequence[Redirect], described: Description, files: SiteFiles
) -> Iterator[Problem]:
    """A page that a rule shows by its name must be there."""
    for rule in rules:
        fixed = all(isinstance(piece, str) for piece in rule.pieces)
        if not rule.moves and fixed and not rule.serves_itself and not files.has(rule.to_path):
            yield Problem(
                rule.file,
                rule.line,
                f"the site has no {rule.to_path}, which the rule shows",
                "let the build write that page, or name another",
            )
    page = described.error_page.strip("/")
    if page and page not in files.paths:
        yield Problem(described.file, 0, f"the site has no {page}", "correct error_page")


def _counted(rules: Sequence[Redirect], blocks: Sequence[HeaderBlock]) -> Iterator[str]:
    for number, one, many in (
        (len(rules), "rule for addresses", "rules for addresses"),
        (len(blocks), "path with headers of its own", "paths with headers of their own"),
    ):
        if number:
            yield f"{number:,} {one if number == 1 else many}"
