"""Two commits have other commits between them, on either side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pushdeploy.domain.names import CommitId


@dataclass(frozen=True, slots=True)
class Commit:
    """``subject`` is the first line of its message; ``at`` is when it was written."""

    id: CommitId
    at: datetime
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class Divergence:
    """``ahead`` are the commits that only the one side has, ``behind`` those of the other.

    Newest first. ``complete`` is False where there were more than anybody wants to read.
    """

    ahead: Sequence[Commit] = ()
    behind: Sequence[Commit] = ()
    complete: bool = True

    @property
    def summary(self) -> str:
        """Write ``2 ahead, 1 behind``; empty when there is nothing between them."""
        more = "" if self.complete else "+"
        counts = ((len(self.ahead), "ahead"), (len(self.behind), "behind"))
        return ", ".join(f"{count}{more} {side}" for count, side in counts if count)
