"""The blocks of a ``_headers`` file, as Netlify and Cloudflare know it.

    /*
      X-Frame-Options: DENY
    /fonts/*
      Access-Control-Allow-Origin: *
      ! X-Frame-Options

Every block whose path matches counts. Values of one name are joined in the order of the file, and
``! Name`` takes away what blocks before it, or we ourselves, have set.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pushdeploy.domain.static.pattern import Pattern
from pushdeploy.domain.static.problems import Problem, Wrong

FILE = "_headers"
MOST_LINES = 20_000
MOST_BLOCKS = 1000
MOST_PATTERNS = 100
MOST_NAMES = 40
"""How many different names all blocks may set: nginx looks at each name for every answer."""

_MOST_CHARACTERS = 2000
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""A token of RFC 9110, 5.6.2."""

_NO_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OF_A_HOST = re.compile(r"https?://", re.IGNORECASE)
_OURS = frozenset(
    (
        *("connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"),
        *("content-length", "content-encoding", "content-range", "accept-ranges"),
        *("date", "server", "host", "etag", "last-modified", "location", "status"),
        *("x-request-id", "x-pushdeploy-error", "alt-svc"),
    )
)
"""These say how an answer travels, or what nginx makes of a file: another value would be wrong."""

_INSTEAD = {
    "basic-auth": "write no password into a repository: auth:set asks for one",
    "set-cookie": "let a process of the app set it",
}


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """Names are as they were written; the same ones in other letters are the same."""

    path: Pattern
    values: Sequence[tuple[str, str]] = ()
    without: Sequence[str] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class ParsedHeaders:
    """``notices`` tell of what is left out although it is no mistake."""

    blocks: Sequence[HeaderBlock]
    problems: Sequence[Problem]
    notices: Sequence[Problem] = ()


def parse_headers(text: str, file: str = FILE) -> ParsedHeaders:
    """Read all lines; those with a problem set nothing."""
    lines = text.removeprefix("\ufeff").split("\n")
    if len(lines) > MOST_LINES:
        what = f"there are {len(lines):,} lines, and {MOST_LINES:,} are the most"
        return ParsedHeaders((), [Problem(file, 0, what, "let a path with * stand for many")])
    reading = _Reading(file)
    for number, line in enumerate(lines, 1):
        try:
            reading.read(line.strip(), number)
        except Wrong as wrong:
            reading.problems.append(wrong.at(file, number))
    reading.end()
    return ParsedHeaders(reading.blocks, reading.problems, reading.notices)


def checked_value(name: str, value: str) -> tuple[str, str]:
    """Raise ``Wrong`` for what cannot be a header of an answer, or not one of a static site's."""
    checked_name(name)
    if not value:
        raise Wrong(f"{name} has no value", f"write one, or take the header away:  ! {name}")
    if len(value) > _MOST_CHARACTERS or _NO_VALUE.search(value):
        raise Wrong(f"the value of {name} is too long, or has a control character", "correct it")
    return name, value


def checked_name(name: str) -> str:
    """Raise ``Wrong`` for a name that a site cannot set or take away."""
    if not _NAME.fullmatch(name):
        raise Wrong(f"{name[:80]!r} is no name of a header", "use letters, digits and -")
    lower = name.lower()
    if lower in _INSTEAD:
        raise Wrong(f"{name} is not set by a static site", _INSTEAD[lower])
    if lower in _OURS:
        raise Wrong(f"{name} is the server's own", "leave the line out")
    return name


def refuse_many(blocks: Sequence[HeaderBlock]) -> None:
    """Raise ``Wrong`` where nginx would have too much to look at for each answer."""
    names = {name.lower() for block in blocks for name, _ in block.values}
    patterns = sum(not block.path.is_exact for block in blocks)
    for number, most, what in (
        (len(blocks), MOST_BLOCKS, "paths"),
        (patterns, MOST_PATTERNS, "paths with * or :name"),
        (len(names), MOST_NAMES, "names of headers"),
    ):
        if number > most:
            raise Wrong(f"there are {number:,} {what}, and {most:,} are the most", "use fewer")


@dataclass(slots=True)
class _Reading:
    """``path`` is that of the block that is being read; None for one that is left out."""

    file: str
    blocks: list[HeaderBlock] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    begun: bool = False
    path: Pattern | None = None
    line: int = 0
    values: list[tuple[str, str]] = field(default_factory=list)
    without: list[str] = field(default_factory=list)

    def read(self, text: str, line: int) -> None:
        if not text or text.startswith("#"):
            return
        if text.startswith("/") or _OF_A_HOST.match(text):
            self._begin(text, line)
        elif not self.begun:
            raise Wrong(
                f"{text[:80]!r} stands before any path",
                "write the path first, in a line of its own",
            )
        elif text.startswith("!"):
            self.without.append(checked_name(text[1:].strip().removesuffix(":")))
        else:
            self._set(text)

    def end(self) -> None:
        self._close()
        try:
            refuse_many(self.blocks)
        except Wrong as wrong:
            self.problems.append(wrong.at(self.file, 0))

    def _begin(self, text: str, line: int) -> None:
        self._close()
        self.begun, self.line = True, line
        if _OF_A_HOST.match(text):
            self.notices.append(
                Problem(self.file, line, "a block for a host has no effect", "write a path")
            )
            return
        self.path = Pattern.parse(text, inside=True)

    def _set(self, text: str) -> None:
        name, colon, value = text.partition(":")
        if not colon:
            raise Wrong(f"{text[:80]!r} is neither a path nor a header", "write it as  Name: value")
        self.values.append(checked_value(name.strip(), value.strip()))

    def _close(self) -> None:
        if self.path is not None and (self.values or self.without):
            block = HeaderBlock(self.path, tuple(self.values), tuple(self.without), self.line)
            self.blocks.append(block)
        self.path, self.values, self.without = None, [], []
