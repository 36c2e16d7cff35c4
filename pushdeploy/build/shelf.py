"""The stacks that an app could be built on, and in which order they come to mind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pushdeploy.build.python.versions import release_of, satisfies

NEWEST = "newest"
"""The operator's wish for no stack of its own: new apps get the newest that is ready."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """``pythons`` maps each to its Python, ``ready`` are those that are there already, ``wanted``
    is the operator's, or NEWEST; ``former`` is the one of the app's live release, or empty.
    ``learned`` is a version specifier that a try with another Python has brought up.
    """

    pythons: Mapping[str, str]
    ready: frozenset[str]
    wanted: str
    today: date
    former: str = ""
    learned: str = ""

    def order(self) -> Sequence[str]:
        """The stack of the live release, the operator's, those that are ready; the newest first."""

        def rank(stack: str) -> tuple[bool, bool, bool, int, int]:
            major, minor = release_of(self.pythons[stack])
            return (
                stack != self.former,
                stack != self.wanted,
                stack not in self.ready,
                -major,
                -minor,
            )

        return sorted(self.pythons, key=rank)

    def usual(self) -> str:
        return self.order()[0]

    def may_try(self, specifier: str) -> bool:
        """Whether another Python is worth a try: a newer one is made if need be, an older is not.

        A package that does not build may have its reasons elsewhere.
        """
        return any(
            satisfies(release_of(python), specifier)
            and (stack in self.ready or not specifier.startswith("<"))
            for stack, python in self.pythons.items()
        )
