"""A pattern matches addresses of a site: ``/about``, ``/blog/:year/:title``, ``/old/*``.

A ``:name`` is one whole part between slashes. A ``*`` at the end is everything that follows, or
nothing; headers may have theirs inside a part as well: ``/*.js``. Addresses are matched without
the slash at their end, decoded, and in the form that a server knows files by.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote_to_bytes

from pushdeploy.domain.static.problems import Wrong

MOST_CHARACTERS = 1000
MOST_PARTS = 12
"""How many parts an address may have up to the last one that a rule takes something from."""

SPLAT = "splat"
_NAME = re.compile(r":([A-Za-z_][A-Za-z0-9_]*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ASSET = r"\.(?![0-9]+$)[A-Za-z0-9]{1,12}$"
PAGES_ALONE = rf"(?!.*/\.)(?!.*{_ASSET})"
"""In front of the rest of a path: no hidden part, and no extension of a file; /v1.2 has none."""


@dataclass(frozen=True)
class Pattern:
    """``text`` is decoded, and begins with a slash. ``parts`` stand between its slashes."""

    text: str

    @classmethod
    def parse(cls, text: str, *, inside: bool = False) -> "Pattern":
        """Raise ``Wrong`` for what is no path. ``inside``: a ``*`` may stand within a part."""
        if len(text) > MOST_CHARACTERS:
            raise Wrong(f"the path has more than {MOST_CHARACTERS} characters", "shorten it")
        if not text.startswith("/"):
            raise Wrong(f"{text[:80]!r} does not begin with a slash", f"write /{text[:80]}")
        if "?" in text or "#" in text:
            raise Wrong("a path is matched without what follows ? or #", "leave that out")
        pattern = cls(_decoded(text))
        pattern._check(inside=inside)
        return pattern

    @cached_property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for part in self.text.split("/") if part)

    @property
    def is_exact(self) -> bool:
        """Tell whether one address alone matches."""
        return "*" not in self.text and not self.names

    @property
    def ends_in_splat(self) -> bool:
        return bool(self.parts) and self.parts[-1] == "*"

    @property
    def exact(self) -> str:
        """The one address, without a slash at its end."""
        return "/" + "/".join(self.parts)

    @cached_property
    def names(self) -> Mapping[str, int]:
        """The place of each placeholder among the parts, from one, that of the splat among them."""
        found = {
            match[1]: place
            for place, part in enumerate(self.parts, 1)
            if (match := _NAME.fullmatch(part))
        }
        return {**found, SPLAT: len(self.parts)} if self.ends_in_splat else found

    def regex(self, *, pages_alone: bool = False) -> str:
        """The expression as PCRE and Python read it, with a group for each name in their order.

        ``pages_alone``: no address that has the extension of a file, and no hidden one.
        """
        whole = self.parts[:-1] if self.ends_in_splat else self.parts
        before = "".join(f"/{_of_part(part)}" for part in whole)
        only = PAGES_ALONE if pages_alone else ""
        if not self.ends_in_splat:
            return f"^{only}{before or '/'}$"
        return f"^{only}{before}(?:/(.*))?$" if before else f"^{only}/(.*)$"

    @cached_property
    def literal_prefix(self) -> str:
        """Return the beginning of every address that matches."""
        ending = re.search(r"/\*$|\*|/:", self.text)
        return (self.text[: ending.start()] if ending else self.exact).rstrip("/")

    def _check(self, *, inside: bool) -> None:
        if "\\" in self.text or _CONTROL.search(self.text):
            raise Wrong("the path has a backslash or a control character", "leave it out")
        if "//" in self.text:
            raise Wrong("the path has two slashes side by side", "write one")
        if {".", ".."} & set(self.parts):
            raise Wrong("the path has a part . or ..", "write the path without it")
        stars = self.text.count("*")
        if stars > 1 or (stars and not inside and not self.ends_in_splat):
            raise Wrong(
                "a * is not at the end of the path" if stars == 1 else "the path has several *",
                "write one, as the last part: /blog/*; one part is a name: /blog/:year",
            )
        places = [_NAME.fullmatch(part) for part in self.parts]
        if SPLAT in [match[1] for match in places if match]:
            raise Wrong(":splat is the name of what * matches", "choose another name")
        if len(set(self.names)) != len([match for match in places if match]) + self.ends_in_splat:
            raise Wrong("two placeholders have the same name", "give each its own")
        if max(self.names.values(), default=0) > MOST_PARTS:
            raise Wrong(f"something is taken from behind part {MOST_PARTS}", "shorten the path")


def is_page(path: str) -> bool:
    """Tell whether an address is one of a page: not hidden, and without a file's extension."""
    return re.match(PAGES_ALONE, path) is not None


def stem(path: str) -> str:
    """The address without the slash at its end, but for the first page's."""
    return path[:-1] if path.endswith("/") and path != "/" else path


def literal(text: str) -> str:
    """An expression that matches the very text, in PCRE as in Python."""
    return re.sub(r"([^A-Za-z0-9/_\u0080-\U0010ffff])", r"\\\1", text)


def _of_part(part: str) -> str:
    if _NAME.fullmatch(part):
        return "([^/]+)"
    return ".*".join(literal(piece) for piece in part.split("*"))


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise Wrong(f"{text[:80]!r} is not UTF-8", "encode it anew") from error
