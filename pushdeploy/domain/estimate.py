"""An estimate tells the size of a snapshot before it is taken.

Small to import, for requests may wait for who needs it.
"""

from typing import NamedTuple


class Estimate(NamedTuple):
    """A snapshot that would be taken now needs this room and has this many names."""

    needed_bytes: int
    names: int
