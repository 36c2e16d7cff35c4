"""What a snapshot would take. Small to import, for requests may wait for who needs it."""

from typing import NamedTuple


class Estimate(NamedTuple):
    """Of a snapshot that would be taken now: the room that it needs, and how many names it has."""

    needed_bytes: int
    names: int
