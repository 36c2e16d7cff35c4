"""Packs of many pushes are put together now and then, beside all other work."""

import logging
import threading

from pushdeploy.domain.names import AppName
from pushdeploy.receive.git import Git, GitFailed
from pushdeploy.receive.repositories import Repositories

MOST_PACKS = 20

_log = logging.getLogger(__name__)


class Repacker:
    """A repacker runs one niced repack at a time for each repository. Thread-safe."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories
        self._lock = threading.Lock()
        self._busy: set[AppName] = set()

    def consider(self, app: AppName) -> threading.Thread | None:
        """Start a repack in the background when there are too many packs."""
        packs = (self._repositories.path(app) / "objects" / "pack").glob("*.pack")
        if sum(1 for _ in packs) <= MOST_PACKS:
            return None
        with self._lock:
            if app in self._busy:
                return None
            self._busy.add(app)
        thread = threading.Thread(target=self._repack, args=(app,), name="repack", daemon=True)
        thread.start()
        return thread

    def _repack(self, app: AppName) -> None:
        try:
            git = Git(self._repositories.path(app), niceness=10)
            git.read("repack", "-d", "--geometric=2", "--quiet")
        except (GitFailed, OSError) as error:
            _log.warning("app=%s repack failed: %s", app, error)
        finally:
            with self._lock:
                self._busy.discard(app)
