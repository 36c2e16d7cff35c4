"""A copy job is the order that the server gives to a copier."""

from collections.abc import Mapping
from typing import Literal, NamedTuple


class CopyJob(NamedTuple):
    """A copy job holds paths as text, for it travels as JSON.

    ``disks`` are live ones by their names.

    ``place`` is a snapshot's directory, with a tree for each disk; with ``clone`` and ``weigh`` one
    such tree. ``former`` is a snapshot's directory too; with ``catch_up`` its trees become those
    of ``place``, and what has changed since is copied. With ``flush`` the disks are flushed to
    their devices first, so that also files which were written a moment ago are trusted later.
    """

    do: Literal["take", "catch_up", "restore", "clone", "weigh", "room", "changed"]
    place: str
    disks: Mapping[str, str] = {}
    former: str | None = None
    flush: bool = False
    target: str = ""
    uid: int = 0
    server: int = 0
    """The pid without which the copier ends."""
