"""The port of an engine that builds Dockerfiles, and tells what builds have left in it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import BinaryIO, Protocol

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import BuildOptions, BuildTool
from pushdeploy.domain.leftovers import BuildRecord
from pushdeploy.domain.names import ImageDigest


class DockerfileBuilds(Protocol):
    """The part of ``Engine`` that builds Dockerfiles."""

    def build_tool(self) -> BuildTool:
        """Return the tool that ``build`` works with."""

    def build(
        self,
        context: BinaryIO,
        dockerfile: str,
        tag: str,
        options: BuildOptions,
        line: Callable[[str], None],
        cancellation: Cancellation,
    ) -> ImageDigest:
        """Build a tar context, by BuildKit where there is a client; ``BuildFailed`` with a tail."""

    def sweep(self) -> None:
        """Remove what a killed server's builds have left on this machine itself."""

    def build_records(self) -> Sequence[BuildRecord]:
        """List all of BuildKit's cache that is not in use, whoever made it; takes its time."""

    def forget_records(self, ids: Sequence[str]) -> None: ...
    def nameless_images(self) -> Sequence[tuple[ImageDigest, datetime]]:
        """Images without a tag, on which no other stands, and when they were made; anybody's."""
