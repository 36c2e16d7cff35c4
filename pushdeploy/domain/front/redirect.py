"""Redirects: visitors who ask for one path of an app are sent to another address."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.path import parse_path, sent

CODES = (301, 302, 307, 308)
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")
_TWICE = 2
USUAL_CODE = 302
"""Browsers keep 301 and 308 for ever: so a mistake is not the usual case."""

MOST_REDIRECTS = 1000
"""Each costs every request of the app some 0.4 µs."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """``source`` is a path, or all that begins with it where it ends in ``*``. The rest goes in the
    place of the ``*`` at the end of ``target``, where there is one.
    """

    source: str
    target: str
    code: int = USUAL_CODE

    @property
    def is_prefix(self) -> bool:
        return self.source.endswith("*")

    def leads(self, path: str) -> str | None:
        """Return where ``path`` leads; None where the redirect is not for it."""
        stem = self.source.removesuffix("*")
        if not self.is_prefix:
            return self.target if path == stem else None
        if not path.startswith(stem):
            return None
        return self._with(path.removeprefix(stem))

    def _with(self, rest: str) -> str:
        return self.target[:-1] + rest if self.target.endswith("*") else self.target


def parse_redirect(source: str, target: str, code: int) -> Redirect:
    """Parse what a person typed. ``UserError`` for what is no path, no address, or no code."""
    if code not in CODES:
        raise UserError(f"{code} is no redirect", f"there are {', '.join(map(str, CODES))}")
    if "*" in source[:-1] or "*" in target[:-1]:
        raise UserError("a * stands at the end, for all that follows", "/blog/* /news/*")
    if target.endswith("*") and not source.endswith("*"):
        raise UserError(f"{target[:80]} has a *, and {source[:80]} has none", "/blog/* /news/*")
    found = Redirect(parse_path(source), _target(target), code)
    if found.target.endswith("/*") and not found.source.endswith("/*"):
        # What follows the source would begin with a slash, and //host is another host's address.
        raise UserError(f"{target[:80]} has a / before its *", f"write {source[:-1]}/* too")
    return found


def in_turn(redirects: Sequence[Redirect]) -> Sequence[Redirect]:
    """Return them as they are looked at: exact ones first, then the longest beginnings."""
    return sorted(redirects, key=lambda each: (each.is_prefix, -len(each.source), each.source))


def with_redirect(
    redirects: Sequence[Redirect], new: Redirect, hosts: Collection[str]
) -> Sequence[Redirect]:
    """Return the redirects with a new one, in place of a former one of the same source.

    ``hosts`` are those of the app. ``UserError`` for too many, and where a visitor would be sent
    round and round.
    """
    found = tuple(in_turn([*(each for each in redirects if each.source != new.source), new]))
    if len(found) > MOST_REDIRECTS:
        raise UserError(
            f"{MOST_REDIRECTS} redirects are the most", "let the app redirect, or use a /*"
        )
    if way := loop_from(new, found, hosts):
        raise UserError(
            f"visitors would be sent round and round: {' → '.join(way)}",
            "redirects:list APP shows all of them",
        )
    return found


def loop_from(
    first: Redirect, redirects: Sequence[Redirect], hosts: Collection[str]
) -> Sequence[str]:
    """Return a way by ``first`` that never ends, as far as it is interesting; else nothing.

    A loop goes by the narrowest of its redirects, whose own source is the shortest path on it.
    """
    for start in [first, *redirects]:
        way = [start.source.removesuffix("*")]
        used: list[Redirect] = []
        while (found := _step(way[-1], redirects, hosts)) is not None:
            redirect, path = found
            way.append(path)
            used.append(redirect)
            if len(used) > len(redirects):
                break
            if path in way[:-1] or used.count(redirect) > _TWICE:
                break
        else:
            continue
        if first in used:
            return way[:5]
    return ()


def _step(
    path: str, redirects: Sequence[Redirect], hosts: Collection[str]
) -> tuple[Redirect, str] | None:
    """The redirect of a path, and the path of the app that it leads to; None where it leads out."""
    for redirect in redirects:
        target = redirect.leads(path)
        if target is not None:
            parts = urlsplit(target)
            inside = not parts.netloc or parts.hostname in hosts
            return (redirect, parts.path or "/") if inside else None
    return None


def _target(text: str) -> str:
    if text.startswith("/") and not text.startswith(("//", "/\\")):
        return _encoded(text)
    parts = _url(text)
    if parts is None:
        raise UserError(
            f"{text[:80]!r} is no address", "write /new, or https://www.example.com/new"
        )
    if text.endswith("*") and not parts.path:
        raise UserError(f"{text[:80]} has its * in the name of a host", "write a / before it")
    return _encoded(text)


def _url(text: str) -> SplitResult | None:
    """An http address of a host in ASCII, without a user; None for anything else."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    well = parts.scheme in {"http", "https"} and parts.username is None and port != 0
    return parts if well and host and _HOST.fullmatch(host) else None


def _encoded(text: str) -> str:
    """Without a letter that means something to nginx."""
    found = sent(text)
    return found.replace("$", "%24").replace('"', "%22").replace("\\", "%5C")
