"""An app could be built on several stacks, which come to mind in an order."""

from collections.abc import Sequence
from dataclasses import dataclass

NEWEST = "newest"
"""The operator's wish for no stack of its own: new apps get the newest that is ready."""


@dataclass(frozen=True, slots=True)
class StackOrder:
    """``names`` are all, the oldest first, ``ready`` are those that are there already, ``wanted``
    is the operator's, or NEWEST; ``former`` is the one of the app's live release, or empty.
    """

    names: Sequence[str]
    ready: frozenset[str]
    wanted: str
    former: str = ""

    def all(self) -> Sequence[str]:
        """The stack of the live release, the operator's, those that are ready; the newest first."""

        def rank(stack: str) -> tuple[bool, bool, bool, int]:
            newest_first = -self.names.index(stack)
            former, wanted = stack == self.former, stack == self.wanted
            return not former, not wanted, stack not in self.ready, newest_first

        return sorted(self.names, key=rank)

    def usual(self) -> str:
        return self.all()[0]
