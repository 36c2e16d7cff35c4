"""Keeps the rules that close this host to containers true while the server lives."""

import logging
from collections.abc import Sequence

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.ports.engine import Engine

_log = logging.getLogger(__name__)


class HostRules:
    """Closes the host through the engine and remembers which problems have been told."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told: Sequence[str] = ()

    def set_up(self) -> None:
        """Make the networks with all their rules, before anything is served. ``BackendDown``."""
        self._engine.ensure_network()
        self._tell(self._engine.close_host())

    def renew(self) -> None:
        """Put rules back that have vanished; what cannot be closed is told when it changes."""
        try:
            self._tell(self._engine.close_host())
        except PushdeployError as error:
            _log.warning("the rules that close this host cannot be looked at: %s", error.message)

    def _tell(self, problems: Sequence[str]) -> None:
        for problem in problems:
            if problem not in self._told:
                _log.warning("%s", problem)
        self._told = problems
