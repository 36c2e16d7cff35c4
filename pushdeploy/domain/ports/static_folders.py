"""The port of published files: it tells which folders of a release are served."""

from collections.abc import Sequence
from typing import Protocol

from pushdeploy.domain.app import App
from pushdeploy.domain.published import StaticFolder


class StaticFolders(Protocol):
    """Tells which files of a release are there to be served."""

    def of(self, app: App, version: int | None) -> Sequence[StaticFolder]:
        """Look at what is there, and wait for nothing."""


class NoStaticFolders:
    """No app has any."""

    def of(self, app: App, version: int | None) -> Sequence[StaticFolder]:
        del app, version
        return ()
