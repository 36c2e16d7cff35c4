"""Keeps this host closed to containers while the server lives."""

import logging
from collections.abc import Sequence

from pushdeploy.domain.ports.engine import Engine

_log = logging.getLogger(__name__)


class ClosedHost:
    """Closes the host through the engine, and remembers which problems have been told."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told: Sequence[str] = ()

    def set_up(self) -> None:
        """Make the networks with all their rules, before anything is served. ``BackendDown``."""
        self._engine.ensure_network()
        self.renew()

    def renew(self) -> str:
        """Put rules back that have vanished: what cannot be closed, told when it changes.

        ``BackendDown`` where the rules cannot be looked at.
        """
        problems = self._engine.close_host()
        for problem in problems:
            if problem not in self._told:
                _log.warning("%s", problem)
        self._told = problems
        return "; ".join(problems)
