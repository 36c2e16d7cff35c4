"""The port of an engine that keeps containers apart from one another and from its host."""

from collections.abc import Sequence
from typing import Protocol


class Networks(Protocol):
    """The part of ``Engine`` that keeps containers apart."""

    def ensure_network(self, *, isolated: bool = False, alone: str = "") -> str:
        """The instance's own bridge, or the one without a way out, made when missing: its name.

        ``alone`` names a bridge of either kind that is shared with no other name.
        """

    def close_host(self) -> Sequence[str]:
        """Make every rule true that keeps containers from the host: what could not be closed."""

    def remove_network(self, alone: str = "") -> None:
        """Remove all bridges with their rules, or those of ``alone``.

        Fails while containers are there.
        """
