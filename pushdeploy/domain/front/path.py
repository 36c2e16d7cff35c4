"""Paths of an app's front are written as browsers send them: ``/f%C3%BCr``, without a query."""

import re
from urllib.parse import quote

from pushdeploy.domain.errors import UserError

MOST_CHARACTERS = 1000
_AS_IT_IS = "/:@!$&'()*+,;=-._~%"
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOTS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_OURS = ("/.pushdeploy", "/.well-known/acme-challenge")


def parse_path(text: str) -> str:
    """Parse a path in any letters. ``UserError`` for a URL, a query, dots, and what is ours."""
    if not text.startswith("/") or text.startswith("//"):
        raise UserError(f"{text[:80]!r} is no path", "a path begins with one /, as in /admin")
    if "?" in text or "#" in text:
        raise UserError(f"{text[:80]!r} has a query", "give the path alone, as in /admin")
    path = sent(text)
    if _DOTS.search(path):
        raise UserError(f"{text[:80]!r} has . or .. in it", "write the path that it leads to")
    if path.lower().startswith(_OURS):
        raise UserError(f"{text[:80]!r} is the server's own", "choose another path")
    return path


def sent(text: str) -> str:
    """Return a text of a URL as a browser sends it; ``UserError`` for what none could send."""
    if any(ord(letter) < 33 or ord(letter) == 127 for letter in text):
        raise UserError(f"{text[:80]!r} has a space or a control character", "write %20")
    if _PERCENT.search(text):
        raise UserError(f"{text[:80]!r} has a % that is no %20", "write %25 for a % itself")
    try:
        found = quote(text, safe=_AS_IT_IS + "?#[]")
    except UnicodeEncodeError as error:
        raise UserError(f"{text[:80]!r} is no text", "check its letters") from error
    if len(found) > MOST_CHARACTERS:
        raise UserError(f"{text[:40]}… is too long", f"{MOST_CHARACTERS} characters are the most")
    return found
