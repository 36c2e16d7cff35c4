"""What the server asks of a copier."""

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Job(NamedTuple):
    """Paths as text, for it travels as JSON. ``disks`` are live ones by their names.

    ``place`` is a snapshot's directory, with a tree for each disk; with ``clone`` and ``weigh`` one
    such tree. ``former`` is a snapshot's directory too.
    """

    do: Literal["take", "restore", "clone", "weigh", "room", "changed"]
    place: str
    disks: Mapping[str, str] = {}
    former: str | None = None
    target: str = ""
    uid: int = 0
    server: int = 0
    """The pid without which the copier ends."""
