"""Names that people choose and identifiers that machines compute, parsed once at the edge."""

import re
from typing import NewType, Self

from pushdeploy.domain.errors import UserError

ImageDigest = NewType("ImageDigest", str)
"""``sha256:`` and 64 hex digits: the engine's image id."""

TreeId = NewType("TreeId", str)
"""40 hex digits of a git tree."""


class Name(str):
    """A string that matches its class's pattern; make one with ``parse``."""

    __slots__ = ()
    _kind = "name"
    _pattern = re.compile("")
    _rule = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise ``UserError`` with the rule when ``text`` is not such a name."""
        if not cls.fits(text):
            raise UserError(f"{text[:80]!r} is not {cls._kind}", cls._rule)
        return cls(text)

    @classmethod
    def fits(cls, text: str) -> bool:
        """Tell whether ``parse`` would take it."""
        return cls._pattern.fullmatch(text) is not None


class Label(Name):
    """A label may stand in a host name."""

    __slots__ = ()
    _pattern = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")
    _rule = "use 1 to 30 lower-case letters, digits and hyphens, with no hyphen at either end"


class AppName(Label):
    """A DNS label, for it is one in ``<app>.<domain>``."""

    __slots__ = ()
    _kind = "an app name"


class ProcessType(Name):
    """A process type stands before the colon in a Procfile."""

    __slots__ = ()
    _kind = "a process type"
    _pattern = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
    _rule = "use letters, digits, '-' and '_'"


class DiskName(Name):
    """A disk has a name within its app."""

    __slots__ = ()
    _kind = "a disk name"
    _pattern = re.compile(r"[a-z0-9]([a-z0-9_-]{0,28}[a-z0-9])?")
    _rule = "use 1 to 30 lower-case letters, digits, '-' and '_'"


class KeyName(Name):
    """A key's name says who it belongs to, and releases and locks carry it."""

    __slots__ = ()
    _kind = "a key name"
    _pattern = re.compile(r"[A-Za-z0-9]([A-Za-z0-9@._+-]{0,62}[A-Za-z0-9])?")
    _rule = "use up to 64 letters, digits and '@._+-'"


class HostName(Name):
    """A host name as a browser sends it, lower case, without a port."""

    __slots__ = ()
    _kind = "a host name"
    _pattern = re.compile(
        r"(?=.{1,253}$)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    )
    _rule = "give it like www.example.com, in lower case and without a port"


class CommitId(Name):
    """A commit id is a SHA-1 in hexadecimal digits."""

    __slots__ = ()
    _kind = "a commit id"
    _pattern = re.compile(r"[0-9a-f]{40}")
    _rule = "a commit id is 40 hexadecimal digits"

    @property
    def short(self) -> str:
        return self[:7]


WEB = ProcessType("web")
RELEASE = ProcessType("release")
