"""The port of a builder: it makes a slug of a source."""

from collections.abc import Mapping
from typing import Protocol

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source


class Builder(Protocol):
    """Makes a slug of a source, or finds one that was made of the same."""

    def build(
        self,
        source: Source,
        app_id: int,
        config: Mapping[str, str],
        output: Output,
        cancellation: Cancellation,
    ) -> Slug:
        """Reuses the app's slug of an equal tree, builder and stack. ``BuildFailed`` otherwise.

        ``app_id``, which an app keeps for life, says whose caches are used: never another's.
        """

    def sweep(self) -> None:
        """Remove, at the start, the files that the builds of a killed server have left."""

    def find(self, key: str) -> Slug | None: ...
    def has(self, slug: Slug) -> bool:
        """Tell whether its image is on this machine."""
