"""The port of a request log: what the router has done with the requests of one app."""

from collections.abc import Sequence
from typing import Protocol

from pushdeploy.domain.container import LogLine


class RequestLog(Protocol):
    """A reader of router lines, see ``domain.router_line``; close it when nobody reads on."""

    def last(self, tail: int) -> Sequence[LogLine]:
        """Return the newest ``tail`` lines, oldest first. Those that come after are news."""

    def news(self) -> Sequence[LogLine]:
        """Return the lines that have come since; at once, also where there are none."""

    def close(self) -> None: ...
