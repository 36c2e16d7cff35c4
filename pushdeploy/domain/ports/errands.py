"""The port of errands: what the flow leaves to be done later, by whoever looks after things."""

from typing import Protocol

from pushdeploy.domain.names import AppName


class Errands(Protocol):
    """Each returns at once, and is done in the background."""

    def look_again(self, app: AppName) -> None:
        """Make what runs of it follow the ledger, soon, and again while that fails."""

    def collect(self, app: AppName) -> None:
        """Remove the slugs that a new release has pushed out of the last ones."""

    def certify(self) -> None:
        """Get certificates for the hosts that have come, where they come by themselves."""

    def forget_builds(self, app_id: int) -> None:
        """Remove what builds of an app that is gone have left."""
