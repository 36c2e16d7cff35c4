"""The rules of a ``_redirects`` file, as Netlify and Cloudflare know it: from, to, status.

    /old         /new                301
    /blog/*      /news/:splat        302
    /:lang/home  /home?lang=:lang    301!
    /app/*       /app/index.html     200
    /secret/*    /404.html           404

The first rule that applies counts. A file of the site goes before a rule without ``!``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, unquote, urlsplit

from pushdeploy.domain.static.pattern import MOST_CHARACTERS, Pattern
from pushdeploy.domain.static.problems import Problem, Wrong

FILE = "_redirects"
MOST_RULES = 20_000
MOST_PATTERNS = 500

MOVED = (301, 302, 303, 307, 308)
SERVED = 200
REFUSED = (404, 410, 451)
UNSAID_STATUS = 301
"""As Netlify has it. Cloudflare has 302, so that a push asks for one to be written."""

_MOST_GROUPS = 9
_STATUS = re.compile(r"([0-9]{3})(!?)")
_TAKEN = re.compile(r":([A-Za-z_][A-Za-z0-9_]*)")
_UNUSUAL = re.compile(r"[\x00-\x20\x7f\\<>\"`{}|^]")
_LOOSE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FROM_HOST = re.compile(r"https?://", re.IGNORECASE)
_CONDITIONS = ("country", "language", "role", "cookie", "sign", "signed")


@dataclass(frozen=True)
class Redirect:
    """``to`` is an address of the site or, for one that moves visitors, of another.

    ``forced``: a file of the same address does not go before it. The rule stands in ``line`` of
    ``file``; the line is nought where nobody has counted.
    """

    source: Pattern
    to: str
    status: int
    forced: bool = False
    line: int = 0
    file: str = FILE

    @property
    def place(self) -> str:
        """Tell where it is written: ``_redirects line 3``."""
        return f"{self.file} line {self.line}" if self.line else self.file

    @property
    def moves(self) -> bool:
        return self.status in MOVED

    @property
    def pages_alone(self) -> bool:
        """A page for whatever is missing is none for a missing file: a script is not HTML."""
        return (
            self.status == SERVED
            and not self.forced
            and self.source.ends_in_splat
            and all(isinstance(piece, str) for piece in self.pieces)
            and self.to_path.endswith((".html", ".htm", "/"))
        )

    @property
    def serves_itself(self) -> bool:
        """Tell whether it says no more than that a missing file is missing."""
        return self.status == SERVED and self.to == self.source.text.replace("/*", "/:splat")

    @cached_property
    def pieces(self) -> Sequence["str | int"]:
        """The target in pieces: text as it was written, or the place of what the source takes.

        A place is that among the parts of the address, and the splat's goes on to its end.
        """
        found: list[str | int] = []
        end = 0
        for match in _TAKEN.finditer(self.to):
            place = self.source.names.get(match[1])
            if place is not None:
                found += [self.to[end : match.start()], place]
                end = match.end()
        return [piece for piece in (*found, self.to[end:]) if piece != ""]

    @property
    def to_path(self) -> str:
        """The target without a query and a fragment."""
        return re.split(r"[?#]", self.to, maxsplit=1)[0]

    def check(self) -> None:
        """Raise ``Wrong`` for a target that cannot be one."""
        _check_characters(self.to)
        if self.to.startswith("/"):
            self._check_path()
        elif self.moves:
            self._check_url()
        elif self.status == SERVED:
            raise Wrong(
                "another server's answers are not passed on", "write 302 to send visitors there"
            )
        else:
            raise Wrong(f"{self.status} shows a page of the site", "name one: /404.html")
        if not self.moves and len(self.source.names) > _MOST_GROUPS:
            raise Wrong(f"more than {_MOST_GROUPS} parts are taken", "take fewer")

    def _check_path(self) -> None:
        if self.to.startswith("//"):
            raise Wrong("the target begins with two slashes, so it is another host", "write one")
        if {".", ".."} & set(unquote(self.to_path).split("/")):
            raise Wrong("the target has a part . or ..", "write the path without it")
        for name in _TAKEN.finditer(self.to_path):
            begins_part = self.to_path[: name.start()].endswith("/")
            if begins_part and name[1] not in self.source.names:
                raise Wrong(
                    f":{name[1]} is no placeholder of {self.source.text}",
                    "correct the name, or write /* at the end of the source for :splat",
                )

    def _check_url(self) -> None:
        try:
            url = urlsplit(self.to)
            port, host = url.port, url.hostname
        except ValueError as error:
            raise Wrong(f"{self.to[:80]!r} is no address: {error}", "correct it") from error
        if url.scheme not in {"http", "https"} or not host or port == 0:
            raise Wrong(
                f"{self.to[:80]!r} is neither a path nor an address",
                "begin with / or with https://",
            )
        if not host.isascii() or "@" in url.netloc or _TAKEN.search(url.netloc.lstrip("[")):
            raise Wrong(
                "the host of the target is not a plain one",
                "write it in ASCII (xn--…), without a user and without placeholders",
            )
        if not url.path.startswith("/") and self.source.names and self.to.find(":", 8) > 0:
            raise Wrong("a placeholder follows the host", f"write {url.scheme}://{host}/:splat")


@dataclass(frozen=True, slots=True)
class Parsed:
    """``notices`` tell of what is no mistake, but may be a surprise."""

    rules: Sequence[Redirect]
    problems: Sequence[Problem]
    notices: Sequence[Problem] = ()


def parse_redirects(text: str, file: str = FILE) -> Parsed:
    """Read all lines; those with a problem make no rule."""
    lines = [
        (number, line, words)
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1)
        if (words := _words(line))
    ]
    if len(lines) > MOST_RULES:
        return Parsed((), [_too_many(len(lines), MOST_RULES, "", file)])
    rules: list[Redirect] = []
    problems: list[Problem] = []
    unsaid = 0
    for number, line, words in lines:
        try:
            rules.append(_rule(words, number, len(line), file))
        except Wrong as wrong:
            problems.append(wrong.at(file, number))
        else:
            unsaid = unsaid or (0 if any(map(_STATUS.fullmatch, words)) else number)
    patterns = sum(not rule.source.is_exact for rule in rules)
    if patterns > MOST_PATTERNS:
        problems.append(_too_many(patterns, MOST_PATTERNS, " with * or :name", file))
    notices = [
        Problem(
            file,
            unsaid,
            f"the rule says no status, so it is {UNSAID_STATUS}",
            "write 301 where the move is for good, 302 where it is not",
        )
    ]
    return Parsed(rules, problems, notices if unsaid else ())


def encoded(text: str) -> str:
    """A piece of a target as it stands in a Location header: ASCII, and nothing that ends one."""
    whole = _LOOSE_PERCENT.sub("%25", text)
    return quote(whole, safe="/:@!&'()*+,;=~-._%?#[]")


def _words(line: str) -> Sequence[str]:
    """Up to a word that begins a comment."""
    words = line.split()
    ends = (place for place, word in enumerate(words) if word.startswith("#"))
    return words[: next(ends, len(words))]


def _rule(words: Sequence[str], line: int, characters: int, file: str) -> Redirect:
    if characters > 2 * MOST_CHARACTERS:
        raise Wrong(f"the line has more than {2 * MOST_CHARACTERS} characters", "shorten it")
    source, rest = words[0], words[1:]
    if _FROM_HOST.match(source):
        raise Wrong(
            "a rule is for paths of this site, and not for a host",
            "write the path alone; domains:add gives the site a host",
        )
    pattern = Pattern.parse(source)
    to, status, forced = _destination(pattern, rest)
    redirect = Redirect(pattern, to, status, forced, line, file)
    redirect.check()
    return redirect


def _destination(source: Pattern, words: Sequence[str]) -> tuple[str, int, bool]:
    if not words:
        raise Wrong("there is no target", "write where to: /old /new 301")
    if _STATUS.fullmatch(words[0]):
        status, forced = _status(words)
        if status != SERVED or not source.ends_in_splat:
            raise Wrong("there is no target", "write where to: /old /new 301")
        return source.text.replace("/*", "/:splat"), status, forced
    place = next((place for place, word in enumerate(words) if _is_target(word)), None)
    if place is None:
        raise Wrong(
            f"{words[0][:80]!r} is neither a path nor an address", "begin with / or https://"
        )
    if place:
        raise Wrong(
            f"rules do not depend on a query ({words[0][:80]})",
            "leave it out; the query of an address goes along to its new one",
        )
    status, forced = _status(words[1:])
    return words[0], status, forced


def _status(words: Sequence[str]) -> tuple[int, bool]:
    if not words:
        return UNSAID_STATUS, False
    match = _STATUS.fullmatch(words[0])
    if not match:
        _refuse_condition(words[0])
        raise Wrong(f"{words[0][:80]!r} is no status", "write 301, 302, 307, 308, 200, 404 or 410")
    status = int(match[1])
    if status not in {*MOVED, SERVED, *REFUSED}:
        raise Wrong(f"{status} is no status of a rule", "write 301, 302, 307, 308, 200, 404 or 410")
    for word in words[1:]:
        _refuse_condition(word)
        raise Wrong(f"{word[:80]!r} follows the status", "write # in front of a comment")
    return status, bool(match[2])


def _refuse_condition(word: str) -> None:
    name = word.partition("=")[0]
    if "=" in word and name.lower() in _CONDITIONS:
        raise Wrong(
            f"rules do not depend on {name}",
            "leave the rule out, or let a process of the app decide",
        )


def _is_target(word: str) -> bool:
    return word.startswith("/") or _FROM_HOST.match(word) is not None


def _check_characters(to: str) -> None:
    if len(to) > MOST_CHARACTERS:
        raise Wrong(f"the target has more than {MOST_CHARACTERS} characters", "shorten it")
    if found := _UNUSUAL.search(to):
        raise Wrong(f"the target has the character {found[0]!r}", "encode it as %XX")
    if re.search(r"%(?:0[0-9A-Fa-f]|1[0-9A-Fa-f]|7[Ff]|5[Cc])", to):
        raise Wrong("the target has an encoded control character or backslash", "leave it out")


def _too_many(number: int, most: int, kind: str, file: str) -> Problem:
    what = f"there are {number:,} rules{kind}, and {most:,} are the most"
    return Problem(file, 0, what, "let one with * or :name stand for many")
