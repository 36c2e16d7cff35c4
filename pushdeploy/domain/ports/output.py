"""The port of what a person reads while something is done for them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from pushdeploy.domain.errors import PushdeployError


class Output(Protocol):
    """A person reads it while something is done for them. See ``pushdeploy.output``."""

    def step(self, title: str) -> AbstractContextManager[None]: ...
    def headline(self, text: str) -> None: ...
    def detail(self, text: str) -> None: ...
    def trouble(self, text: str) -> None: ...
    def line(self, text: str) -> None:
        """A line of the app's own, as it is."""

    def failure(self, error: PushdeployError) -> None:
        """Print the failure, its last lines, the release that still serves, and the next
        command to type.
        """

    def also(
        self, sink: Callable[[str], None], timed: Callable[[str, float], None] | None = None
    ) -> "Output":
        """An output that writes here and to ``sink``, and tells ``timed`` of its steps."""

    def prefixed(self, prefix: str) -> "Output":
        """An output whose lines come here behind ``prefix``, for several that speak at once."""
